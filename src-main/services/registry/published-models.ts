import { IDENTITY_GROUP_BUDGET_BYTES, MAX_MODEL_ID_LENGTH, MAX_MODELS } from './constants.js'
import { OLLAMA_API } from './identity-groups.js'
import type { LocalModel, ServiceRegistration } from '../index.js'
import type { ServerModel } from './model-list.js'

/** A server's models as the network is to see them. */
export interface PublishedModels {
  models: LocalModel[]
  /** `model=<id>` per model, then the owner's own entries, `api=ollama` where the server is one. */
  identityGroups: string[]
  /** Published id → the server's own, where the two differ. */
  serverModelIds: Map<string, string>
  /** What is not published, and why. */
  leftOut: { id: string; reason: LeftOutReason }[]
}

/** As Ollama alone names the owner of the models of its own library. */
const OLLAMA_OWNER = 'library'

/** Why a model stays unpublished. */
export type LeftOutReason = 'not an id that can be published' | 'the name is taken' | 'too many models'

/** The wishes that decide what is published. */
export type PublishWishes = Pick<ServiceRegistration, 'models' | 'aliases' | 'identityGroups'>

/**
 * Which models are published, and under which names: the ticked ones; a path on the owner's disk only as its file name;
 * aliases besides. Bounded by number and by the room a row of the node table has.
 */
export function publishModels(serverModels: readonly ServerModel[], wishes: PublishWishes): PublishedModels {
  const result: PublishedModels = { models: [], identityGroups: [], serverModelIds: new Map(), leftOut: [] }
  const taken = new Set<string>()
  const speaksOllama = serverModels.some(({ ownedBy }) => ownedBy === OLLAMA_OWNER)
  const ownEntries = [...new Set([...wishes.identityGroups, ...(speaksOllama ? [OLLAMA_API] : [])])]
  let bytes = sizeOf(ownEntries)

  function publish(id: string, model: ServerModel): void {
    const entry = `model=${id}`
    const reason = reasonAgainst(id, taken, bytes + sizeOf([entry]))
    if (reason !== undefined) {
      result.leftOut.push({ id, reason })
      return
    }
    taken.add(id)
    bytes += sizeOf([entry])
    result.models.push({ ...model, id })
    result.identityGroups.push(entry)
    if (id !== model.id) result.serverModelIds.set(id, model.id)
  }

  const named = serverModels.map((model) => ({ model, id: publicIdOf(model.id) }))
  const ticked = named.filter(({ model, id }) => isTicked(wishes.models, model.id, id))
  for (const { id, model } of ticked) publish(id, model)
  for (const [alias, meant] of wishes.aliases) {
    const target = ticked.find(({ model, id }) => model.id === meant || id === meant)
    if (target !== undefined) publish(alias, target.model)
  }
  result.identityGroups.push(...ownEntries.filter((entry) => !result.identityGroups.includes(entry)))
  return result
}

/** The file name of an id that is a path on its machine; any other id as it is (`org/model` is no path). */
export function publicIdOf(id: string): string {
  const isPath =
    /^(?:[/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file:)/.test(id) || id.includes('\\') || /\/.*\.gguf$/i.test(id)
  if (!isPath) return id
  return id.split(/[/\\]+/).findLast((segment) => segment !== '') ?? ''
}

function isTicked(models: ServiceRegistration['models'], serverId: string, id: string): boolean {
  return models === 'all' || models.includes(serverId) || models.includes(id)
}

function reasonAgainst(id: string, taken: ReadonlySet<string>, bytesWithIt: number): LeftOutReason | undefined {
  if (!isPublishable(id)) return 'not an id that can be published'
  if (taken.has(id)) return 'the name is taken'
  if (taken.size >= MAX_MODELS || bytesWithIt > IDENTITY_GROUP_BUDGET_BYTES) return 'too many models'
  return undefined
}

/** Whether an id can be announced: `*` would be the wildcard; control and invisible characters make two names look alike. */
export function isPublishable(id: string): boolean {
  return (
    id.length <= MAX_MODEL_ID_LENGTH &&
    id.trim() === id &&
    !['', '*', '.', '..', '~'].includes(id) &&
    !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(id)
  )
}

/** Bytes these entries take in a record: JSON text, quotes and commas. */
export function sizeOf(entries: readonly string[]): number {
  return entries.reduce((sum, entry) => sum + Buffer.byteLength(JSON.stringify(entry)) + 1, 0)
}

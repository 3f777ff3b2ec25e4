import { isPublishable } from '#shared/model-names.js'
import type { LocalModel, ServiceRegistration } from '../index.js'

/** The most models one service publishes. */
const MAX_MODELS = 200

/** Room for identity groups in the 4 KB envelope of a row of the node table. */
export const IDENTITY_GROUP_BUDGET_BYTES = 3 * 1024

/** One entry of a service's identity group, read. */
export type IdentityGroup =
  | { kind: 'all' }
  | { kind: 'any'; key: string }
  | { kind: 'exact'; key: string; value: string }
  | { kind: 'invalid'; reason: string }

/** Stands beside the models of a service whose server speaks Ollama's own interface (`/api/chat` and the like). */
export const OLLAMA_API = 'api=ollama'

/** The longest entry a row of the node table takes. */
const MAX_ENTRY_LENGTH = 512

/** Reads `all`, `key=*` or `key=value`; the key ends at the first `=`, so a value may hold more of them. */
export function parseIdentityGroup(entry: string): IdentityGroup {
  if (entry === 'all') return { kind: 'all' }
  if (entry.length > MAX_ENTRY_LENGTH) return { kind: 'invalid', reason: `longer than ${MAX_ENTRY_LENGTH} characters` }
  if (/\p{Cc}/u.test(entry)) return { kind: 'invalid', reason: 'holds a control character' }
  const split = entry.indexOf('=')
  if (split === -1) return { kind: 'invalid', reason: 'is neither key=value nor "all"' }
  const key = entry.slice(0, split)
  const value = entry.slice(split + 1)
  if (key.trim() === '' || value.trim() === '') return { kind: 'invalid', reason: 'has an empty key or value' }
  return value === '*' ? { kind: 'any', key } : { kind: 'exact', key, value }
}

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
type LeftOutReason = 'not an id that can be published' | 'the name is taken' | 'too many models'

/** What decides what is published. */
export type PublishOptions = Pick<ServiceRegistration, 'models' | 'aliases' | 'identityGroups'>

/**
 * Which models are published, and under which names: the ticked ones; a path on the owner's disk only as its file name;
 * aliases besides. Bounded by number and by the room a row of the node table has.
 */
export function publishModels(serverModels: readonly LocalModel[], options: PublishOptions): PublishedModels {
  const result: PublishedModels = { models: [], identityGroups: [], serverModelIds: new Map(), leftOut: [] }
  const taken = new Set<string>()
  const speaksOllama = serverModels.some(({ ownedBy }) => ownedBy === OLLAMA_OWNER)
  const ownEntries = [...new Set([...options.identityGroups, ...(speaksOllama ? [OLLAMA_API] : [])])]
  let bytes = sizeOf(ownEntries)

  function publish(id: string, model: LocalModel): void {
    const entry = `model=${id}`
    const reason = reasonAgainst(id, taken, bytes + sizeOf([entry]))
    if (reason !== undefined) {
      result.leftOut.push({ id, reason })
      return
    }
    taken.add(id)
    bytes += sizeOf([entry])
    result.models.push({ ...only(model), id })
    result.identityGroups.push(entry)
    if (id !== model.id) result.serverModelIds.set(id, model.id)
  }

  const named = serverModels.map((model) => ({ model, id: publicIdOf(model.id) }))
  const ticked = named.filter(({ model, id }) => isTicked(options.models, model.id, id))
  for (const { id, model } of ticked) publish(id, model)
  for (const [alias, meant] of options.aliases) {
    const target = ticked.find(({ model, id }) => model.id === meant || id === meant)
    if (target !== undefined) publish(alias, target.model)
  }
  result.identityGroups.push(...ownEntries.filter((entry) => !result.identityGroups.includes(entry)))
  return result
}

/** A server's list may tell more of a model. */
function only({ ownedBy, created, contextLength }: LocalModel): Omit<LocalModel, 'id'> {
  return { ownedBy, created, contextLength }
}

/**
 * The file name of an id that is a path on its machine, percent-encoded or not; any other id as it is (`org/model` is no
 * path).
 */
export function publicIdOf(id: string): string {
  const forms = [id]
  for (let form = decoded(id); form !== forms.at(-1) && forms.length <= MAX_DECODE_ROUNDS; form = decoded(form)) {
    forms.push(form)
  }
  if (!forms.some(isPath)) return id
  const segments = (forms.at(-1) ?? id).split(/[/\\]+/)
  return segments.findLast((segment) => segment !== '') ?? ''
}

/** Paths are encoded twice at most; what is encoded more often is cut at what is left of it. */
const MAX_DECODE_ROUNDS = 4

function isPath(id: string): boolean {
  return (
    /^(?:[/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file:)/.test(id) ||
    id.includes('\\') ||
    /\/.*\.gguf$/i.test(id) ||
    /(?:^|\/)(?:home|users)\/[^/]+\//i.test(id)
  )
}

/** One round of percent-decoding; what is no UTF-8 stays. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run)
    } catch (error) {
      if (error instanceof URIError) return run
      throw error
    }
  })
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

/** Bytes these entries take in a record: JSON text, quotes and commas. */
export function sizeOf(entries: readonly string[]): number {
  return entries.reduce((sum, entry) => sum + Buffer.byteLength(JSON.stringify(entry)) + 1, 0)
}

import type { Visibility } from '#shared/contract/sharing/visibility.js'
import { isPublishable } from '#shared/model-names.js'
import type { LocalModel, ServiceRegistration } from '../index.js'

/** Room for identity groups in the 4 KB envelope of a row of the node table. */
export const IDENTITY_GROUP_BUDGET_BYTES = 3 * 1024

/** Room for them in what trusted peers are told, which holds what everyone may use as well. */
export const OFFERS_BUDGET_BYTES = 2 * IDENTITY_GROUP_BUDGET_BYTES

/** What there is room for of one service: in a row, in what trusted peers are told, and in this node's own list. */
const ROOM = {
  everyone: { models: 200, bytes: IDENTITY_GROUP_BUDGET_BYTES },
  trusted: { models: 200, bytes: OFFERS_BUDGET_BYTES },
  me: { models: 1_000, bytes: Number.POSITIVE_INFINITY },
} as const satisfies Record<Visibility, { models: number; bytes: number }>

/** Of each visibility the lists that such a model takes room in. */
const TOLD_IN: Readonly<Record<Visibility, readonly Visibility[]>> = {
  me: ['me'],
  trusted: ['me', 'trusted'],
  everyone: ['me', 'trusted', 'everyone'],
}

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
  /** Who may use each, by published id, where that was said of it; also of models the server does not list now. */
  visibilities: Map<string, Visibility>
  /** What is not published, and why. */
  leftOut: { id: string; reason: LeftOutReason }[]
}

/** As Ollama alone names the owner of the models of its own library. */
const OLLAMA_OWNER = 'library'

/** Whether a list of models is one of an Ollama. */
export function isOllamaList(models: readonly LocalModel[]): boolean {
  return models.some(({ ownedBy }) => ownedBy === OLLAMA_OWNER)
}

/** Why a model stays unpublished. */
type LeftOutReason = 'not an id that can be published' | 'the name is taken' | 'too many models'

/** What decides what is published. */
export type PublishOptions = Pick<ServiceRegistration, 'models' | 'aliases' | 'identityGroups'> &
  Partial<Pick<ServiceRegistration, 'except' | 'visibility' | 'visibilities'>>

/**
 * Which models are published, and under which names: the ticked ones; a path on the owner's disk only as its file name;
 * aliases besides. Bounded by number and, for what peers may use, by the room there is to tell them.
 */
export function publishModels(serverModels: readonly LocalModel[], options: PublishOptions): PublishedModels {
  const { visibility: usual = 'everyone', visibilities = new Map<string, Visibility>(), except = [] } = options
  const result: PublishedModels = {
    ...{ models: [], identityGroups: [], serverModelIds: new Map(), visibilities: new Map(), leftOut: [] },
  }
  const taken = new Set<string>()
  const speaksOllama = isOllamaList(serverModels)
  const ownEntries = [...new Set([...options.identityGroups, ...(speaksOllama ? [OLLAMA_API] : [])])]
  const used = {
    everyone: { models: 0, bytes: sizeOf(ownEntries) },
    trusted: { models: 0, bytes: sizeOf(ownEntries) },
    me: { models: 0, bytes: 0 },
  }
  const visibilityFor = (serverId: string): Visibility | undefined =>
    visibilities.get(serverId) ?? visibilities.get(publicIdOf(serverId))

  function publish(id: string, model: LocalModel): void {
    const entry = `model=${id}`
    const visibility = visibilityFor(model.id)
    const lists = TOLD_IN[visibility ?? usual]
    const size = sizeOf([entry])
    const fits = lists.every(
      (list) => used[list].models < ROOM[list].models && used[list].bytes + size <= ROOM[list].bytes,
    )
    const reason = reasonAgainst(id, taken, fits)
    if (reason !== undefined) {
      result.leftOut.push({ id, reason })
      return
    }
    taken.add(id)
    for (const list of lists) {
      used[list].models += 1
      used[list].bytes += size
    }
    if (visibility !== undefined) result.visibilities.set(id, visibility)
    result.models.push({ ...only(model), id })
    result.identityGroups.push(entry)
    if (id !== model.id) result.serverModelIds.set(id, model.id)
  }

  const named = serverModels.map((model) => ({ model, id: publicIdOf(model.id) }))
  const ticked = named.filter(
    ({ model, id }) =>
      isTicked(options.models, model, id, visibilities) && !except.includes(model.id) && !except.includes(id),
  )
  const plain = new Set(ticked.filter(({ id, model }) => id === model.id).map(({ id }) => id))
  for (const { id, model } of ticked) {
    // A request with exactly a model's id must not reach another whose path ends in it.
    if (id !== model.id && plain.has(id)) result.leftOut.push({ id, reason: 'the name is taken' })
    else publish(id, model)
  }
  for (const [alias, meant] of options.aliases) {
    const target = ticked.find(({ model, id }) => model.id === meant || id === meant)
    if (target !== undefined) publish(alias, target.model)
  }
  result.identityGroups.push(...ownEntries.filter((entry) => !result.identityGroups.includes(entry)))
  addUnlisted(result.visibilities, visibilities, options.aliases)
  return result
}

/** What was said of models that the server does not list now; of two with one name the narrower counts. */
function addUnlisted(
  known: Map<string, Visibility>,
  said: ReadonlyMap<string, Visibility>,
  aliases: ReadonlyMap<string, string>,
): void {
  const unlisted = new Map<string, Visibility>()
  const add = (name: string, visibility: Visibility): void => {
    const before = unlisted.get(name)
    if (!known.has(name) && (before === undefined || TOLD_IN[visibility].length < TOLD_IN[before].length)) {
      unlisted.set(name, visibility)
    }
  }
  for (const [model, visibility] of said) add(publicIdOf(model), visibility)
  for (const [alias, meant] of aliases) {
    const visibility = said.get(meant) ?? said.get(publicIdOf(meant))
    if (visibility !== undefined) add(alias, visibility)
  }
  for (const [name, visibility] of unlisted) known.set(name, visibility)
}

/** A server's list may tell more of a model. */
function only({ ownedBy, created, contextLength, facts }: LocalModel): Omit<LocalModel, 'id'> {
  return { ownedBy, created, contextLength, ...(facts === undefined ? {} : { facts }) }
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

/** Whoever ticks all of them does not mean those that others run, on the owner's account. */
function isTicked(
  models: ServiceRegistration['models'],
  { id: serverId, isCloud }: LocalModel,
  id: string,
  said: ReadonlyMap<string, Visibility>,
): boolean {
  if (models === 'all') return isCloud !== true || said.has(serverId)
  return models.includes(serverId) || models.includes(id)
}

function reasonAgainst(id: string, taken: ReadonlySet<string>, fits: boolean): LeftOutReason | undefined {
  if (!isPublishable(id)) return 'not an id that can be published'
  if (taken.has(id)) return 'the name is taken'
  if (!fits) return 'too many models'
  return undefined
}

/** Bytes these entries take in a record: JSON text, quotes and commas. */
export function sizeOf(entries: readonly string[]): number {
  return entries.reduce((sum, entry) => sum + Buffer.byteLength(JSON.stringify(entry)) + 1, 0)
}

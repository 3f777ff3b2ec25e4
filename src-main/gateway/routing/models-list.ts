import { AppError } from '#shared/errors.js'
import type { ModelFacts } from '#shared/model-facts.js'
import type { GoNetwork } from '../../go-network/index.js'
import { factsOf, type LocalService, type PeerClass, type ServiceRegistry } from '../../services/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import { type ModelCatalog, modelsOf, type RoutableModel } from './model-catalog.js'

/** What the list of models is read from. */
export interface ModelListNeeds {
  models: Pick<ModelCatalog, 'list'>
  registry: Pick<ServiceRegistry, 'sharedWith'>
  admission: Pick<Admission, 'closed'>
  /** This node itself. */
  host: { readonly peerId: string }
  /** Who is a provider of the Go network; absent: nobody. */
  goNetwork?: Pick<GoNetwork, 'isProvider'> | undefined
}

/** One model of `GET /v1/models`, as OpenAI lists it, plus what a mesh can say of it. */
export interface ModelEntry {
  id: string
  object: 'model'
  /** Unix seconds; 0 where nobody told. */
  created: number
  owned_by: string
  ocf: {
    /** Peers that offer it and can be routed to now, this node included. */
    providers: number
    /** How many of them are providers of the Go network, whose list nobody signs; absent for none. */
    unsigned?: number
    /** True when this node itself offers it. */
    local: boolean
    /** What it is for; like all below only where a server tells it. */
    kind?: NonNullable<ModelFacts['kind']>
    /** Tokens that its server takes in one request. */
    context_length?: number
    /** `8.0B` */
    parameters?: string
    /** `Q4_K_M` */
    quantization?: string
    family?: string
    /** Of a model of this machine. */
    format?: string
    /** Bytes on disk. */
    size?: number
    /** Of another peer's model the first 16 digits. */
    digest?: string
    /** As Ollama names them: `completion`, `embedding`, `tools`, `vision`, `thinking`. */
    capabilities?: readonly string[]
    /** The first of those peers. */
    servers: string[]
  }
}

/** Peers named per model; the count is complete. */
const MAX_SERVERS = 16
/** Peers named where the list would be too long otherwise. */
const FEW_SERVERS = 2
/** Bytes of a list whose length the client did not choose, at most. */
const MAX_LIST_BYTES = 256 * 1024
/** What stands around the models of a list, ids of 200 characters included. */
const FRAME_BYTES = 4 * 1024
/** Models a client may ask for at once. */
const MAX_LIMIT = 1_000

/**
 * The models that can be routed to, those of this machine first, then by id; for a peer those of this node that peers of
 * its class may use.
 */
export function listModels(needs: ModelListNeeds, asker: 'own' | PeerClass): ModelEntry[] {
  const { models, registry, admission, host } = needs
  const isUnsigned = (peerId: string): boolean => needs.goNetwork?.isProvider(peerId) === true
  const entry = (model: Listed): ModelEntry => entryOf(model, host.peerId, isUnsigned)
  if (asker === 'own') {
    const all = models.list()
    return [...all.filter(({ own }) => own.length > 0), ...all.filter(({ own }) => own.length === 0)].map(entry)
  }
  if (admission.closed !== undefined) return []
  const found = new Map<string, LocalService[]>()
  for (const service of registry.sharedWith(asker)) {
    if (service.name !== 'llm' || service.status !== 'connected') continue
    for (const id of new Set(modelsOf(service.identityGroups))) found.set(id, [...(found.get(id) ?? []), service])
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, own]) => entry({ id, own, peers: [] }))
}

/** What an entry is made from. */
type Listed = Pick<RoutableModel, 'id' | 'own' | 'peers' | 'facts'>

/** What a client wants of a list: how many models at most, and after which. */
export interface PageQuery {
  limit: number | undefined
  after: string | undefined
}

/**
 * Reads `limit` and `after` of a query.
 * @throws AppError `invalid_request` for a limit that is no number from 1 to 1000
 */
export function readPageQuery(query: Readonly<Record<string, string | string[] | undefined>>): PageQuery {
  const [limit, after] = [one(query['limit']), one(query['after'])]
  if (limit === undefined) return { limit, after }
  const number = /^\d{1,4}$/.test(limit) ? Number(limit) : 0
  if (number < 1 || number > MAX_LIMIT) {
    throw new AppError('invalid_request', `limit must be a number from 1 to ${MAX_LIMIT}.`, { param: 'limit' })
  }
  return { limit: number, after }
}

/** A list of models as OpenAI's lists with pages are. */
export interface ModelPage {
  object: 'list'
  data: ModelEntry[]
  /** The ids to go on from; null in an empty list. */
  first_id: string | null
  last_id: string | null
  /** More follow `last_id`. */
  has_more: boolean
}

/** One page of a list: as many as were asked for, or as fit into 256 KiB, where fewer peers are named rather than models. */
export function pageOf(entries: readonly ModelEntry[], { limit, after }: PageQuery): ModelPage {
  const left = after === undefined ? entries : entries.slice(startAfter(entries, after))
  const data = limit === undefined ? fitting(left) : left.slice(0, limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: data.length < left.length,
  }
}

/** Where to go on after an id; one that is gone meanwhile was before the first that comes after it by id. */
function startAfter(entries: readonly ModelEntry[], after: string): number {
  const at = entries.findIndex(({ id }) => id === after)
  if (at >= 0) return at + 1
  const next = entries.findIndex(({ id, ocf }) => !ocf.local && id > after)
  return next >= 0 ? next : entries.length
}

/** As many of the first as fit into a list; with few peers named where that makes more of them fit. */
export function fitting(entries: readonly ModelEntry[]): ModelEntry[] {
  const whole = within(entries)
  if (whole.length === entries.length) return whole
  return within(entries.map((entry) => ({ ...entry, ocf: { ...entry.ocf, servers: few(entry.ocf.servers) } })))
}

function within(entries: readonly ModelEntry[]): ModelEntry[] {
  let bytes = FRAME_BYTES
  const end = entries.findIndex((entry) => {
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1
    return bytes > MAX_LIST_BYTES
  })
  return end < 0 ? [...entries] : entries.slice(0, end)
}

const few = (servers: readonly string[]): string[] => servers.slice(0, FEW_SERVERS)

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)

/** In Ollama's words. */
function capabilitiesOf({ kind, capabilities = [] }: ModelFacts): string[] | undefined {
  const uses = kind === 'chat' ? ['completion'] : kind === 'embedding' ? ['embedding'] : []
  const all = [...uses, ...capabilities]
  return all.length === 0 ? undefined : all
}

/** Without what nobody tells. */
function told<T extends object>(facts: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>
  }
}

function entryOf(
  { id, own, peers, facts: known }: Listed,
  peerId: string,
  isUnsigned: (peerId: string) => boolean,
): ModelEntry {
  const [first] = own
  const listed = first?.models.find((model) => model.id === id)
  const facts = known ?? (first === undefined || listed === undefined ? {} : factsOf(listed, first))
  const { kind, contextTokens, parameters, quantization, family, sizeBytes } = facts
  const { format, digest = facts.digest, capabilities = capabilitiesOf(facts) } = listed?.facts ?? {}
  const providers = first === undefined ? peers : [peerId, ...peers]
  const unsigned = peers.filter(isUnsigned).length
  return {
    id,
    object: 'model',
    created: facts.createdAt ?? 0,
    owned_by: listed?.ownedBy ?? 'ocf',
    ocf: {
      providers: providers.length,
      ...(unsigned === 0 ? {} : { unsigned }),
      local: first !== undefined,
      ...told({ kind, context_length: contextTokens, parameters, quantization, family, format, size: sizeBytes }),
      ...told({ digest, capabilities }),
      servers: providers.slice(0, MAX_SERVERS),
    },
  }
}

import type { DetectedModel, ServerKind } from '#shared/contract/sharing/detection.js'
import type { ServerFacts } from '../../index.js'
import type { Ask, SeenList } from '../ask.js'

/** What a server tells of a model beyond its list of OpenAI's interface. */
export interface ToldModel {
  /** Tokens that it takes as it is served. */
  contextLength: number | undefined
  facts: ServerFacts
}

/** What is learnt once about a server that was recognised. */
export interface Identity {
  version: string | undefined
  /** It lists its models to everybody and answers requests only to those who have its key. */
  isLocked?: true
  /** By the server's own model id: what its list does not tell. */
  details: ReadonlyMap<string, Partial<Omit<DetectedModel, 'id'>>>
}

/** What changes from scan to scan. */
export interface Status {
  state?: 'asleep' | 'busy' | 'starting'
  load?: { running: number; waiting: number }
  /** Ids of the models in memory; undefined where the server does not say. */
  loaded?: ReadonlySet<string>
}

/** How one kind of server is recognised. None of its requests loads a model, wakes a server or makes it generate. */
export interface ServerProfile {
  kind: ServerKind
  /** What the health check asks: never a path that makes this server generate. */
  healthPath: string
  /** Whether the list alone makes it likely. */
  suspects(list: SeenList): boolean
  /** The confirming request; undefined when it is something else. */
  identify(ask: Ask, list: SeenList): Promise<Identity | undefined>
  /** `watched`: a person is watching, so questions that count as use of the server may be asked. */
  status?(ask: Ask, list: SeenList, watched: boolean): Promise<Status>
}

/** An identity of which nothing but the kind is known. */
export const NAMELESS: Identity = { version: undefined, details: new Map() }

/** Whether some entry says that `owner` made it. */
export function isOwnedBy(list: SeenList, owner: string): boolean {
  return list.models.some(({ ownedBy }) => ownedBy?.toLowerCase() === owner)
}

/** Load with every slot taken or a request waiting is `busy`. */
export function loadStatus(running: number | undefined, waiting: number | undefined): Status {
  if (running === undefined && waiting === undefined) return {}
  const load = { running: running ?? 0, waiting: waiting ?? 0 }
  return load.waiting > 0 ? { load, state: 'busy' } : { load }
}

/** The sum of a gauge over its labels in a Prometheus text; undefined where it is missing. */
export function gauge(text: string, name: string): number | undefined {
  let sum: number | undefined
  for (const line of text.split('\n')) {
    const [, found, value] = /^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})?\s+(\S+)/.exec(line) ?? []
    if (found !== name) continue
    const number = Number(value)
    if (Number.isFinite(number)) sum = (sum ?? 0) + number
  }
  return sum
}

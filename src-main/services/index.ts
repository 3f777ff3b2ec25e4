import type { Service } from '../lifecycle.js'

/** Where a local service stands with this node. */
export type LocalServiceStatus = 'starting' | 'connected' | 'down'

/** A service of this machine that the node forwards to. */
export interface LocalService {
  /** Unique on this node, for logs and the registry: `llm@127.0.0.1:11434`. */
  readonly id: string
  /** The name it is routed by: `llm`. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly status: LocalServiceStatus
  /** `model=<id>`, `key=value`, `key=*` or `all`. */
  readonly identityGroups: readonly string[]
  /** False: for this machine only (the built-in demo model); never in the node table, never on the peer door. */
  readonly published: boolean
  /** Path patterns a peer may reach (`POST /v1/chat/completions`, `GET /v1/models`, `* /*`). */
  readonly sharedPaths: readonly SharedPath[]
  /** Published model id → the id the server itself uses, where the two differ (path-like ids, aliases). */
  readonly serverModelIds: ReadonlyMap<string, string>
  /** The server's own entry of `GET /v1/models` per published id, where it told one. */
  readonly models: readonly LocalModel[]
}

/** One model of a local server as its list tells it. */
export interface LocalModel {
  /** The id the network sees. */
  id: string
  ownedBy: string | undefined
  created: number | undefined
  /** Tokens, where the server tells. */
  contextLength: number | undefined
}

/** A method and a path a service shares with peers. `path` ends in `*` for a prefix; `method` `*` is any. */
export interface SharedPath {
  method: string
  path: string
}

/** This machine's services. The one place that knows which are there and alive. */
export interface ServiceRegistry extends Service {
  list(): readonly LocalService[]
  /** Services of that name that are `connected`, published ones first. */
  connected(name: string): readonly LocalService[]
  /** Calls `listener` after each change; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

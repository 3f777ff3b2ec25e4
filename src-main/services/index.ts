import type { Visibility } from '#shared/contract/sharing/visibility.js'
import type { ModelSpeed } from '#shared/model-facts.js'
import type { Service } from '../base/lifecycle.js'

export { authorityOf, hostsToTry, isLoopbackHost } from './registry/target.js'
export { FORWARDS_BACK } from './registry/service-state.js'
export { parseJson } from './registry/http-probe.js'
export { createServiceRegistry } from './registry/service-registry.js'
export {
  isModelPath,
  isPathShared,
  LLM_SHARED_PATHS,
  MODEL_PATHS,
  OLLAMA_MODEL_PATHS,
  parseSharedPath,
  WEBSOCKET,
} from './sharing/shared-paths.js'
export { OLLAMA_API, publicIdOf } from './registry/published-models.js'
export { type ContinuedForm, type ContinuedWay, continuedWay } from './registry/continuing.js'
export { factsOf } from './registry/model-facts.js'
export { createAnnouncer, createOwnOffers, modelsForEveryone } from './registry/announcer.js'
export { isOpenTo, visibilityOf, wider } from './registry/visibility.js'
export { inheritedEnvironment } from './process/inherited-environment.js'
export { createSubprocess } from './process/subprocess.js'
export { createEmbeddedDemo } from './process/embedded-demo.js'

/** Where a local service stands with this node. */
export type LocalServiceStatus = 'starting' | 'connected' | 'down'

/** Who asks, where it is another peer: one the person trusts, or any other. */
export type PeerClass = 'trusted' | 'stranger'

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
  /** False: for this machine only; never in the node table, never at the peer listener. */
  readonly published: boolean
  /** Who may use what has no visibility of its own in `visibilities`. */
  readonly visibility: Visibility
  /** Who may use each model, by its published name, where that was said of it. */
  readonly visibilities: ReadonlyMap<string, Visibility>
  /** Path patterns a peer may reach (`POST /v1/chat/completions`, `GET /v1/models`, `* /*`). */
  readonly sharedPaths: readonly SharedPath[]
  /** Published model id → the id the server itself uses, where the two differ (path-like ids, aliases). */
  readonly serverModelIds: ReadonlyMap<string, string>
  /** The server's own entry of `GET /v1/models` per published id, where it has one. */
  readonly models: readonly LocalModel[]
  /** Why it is not connected, in words for the person; undefined while it is. */
  readonly problem: string | undefined
  /** What stands before `/v1/` in the paths of this server (`/engines`, `/api`); absent or empty for most. */
  readonly basePath?: string
  /** True when peers may use only some of its models: each of their requests has to name one of those. */
  readonly onlyTicked?: boolean
}

/** One model of a local server as its list tells it. */
export interface LocalModel {
  /** The id the network sees. */
  id: string
  /** It runs on another company's computers, in the owner's name and on the owner's account. */
  isCloud?: boolean
  ownedBy: string | undefined
  /** Unix seconds. */
  created: number | undefined
  /** Tokens, where the server tells. */
  contextLength: number | undefined
  /** What else the server tells of it. */
  facts?: ServerFacts | undefined
}

/** What a server tells of its own model beside what its list says; `factsOf` is what others are told. */
export interface ServerFacts {
  /** `8.0B`, `360M` */
  parameters?: string | undefined
  quantization?: string | undefined
  family?: string | undefined
  format?: string | undefined
  sizeBytes?: number | undefined
  digest?: string | undefined
  /** As Ollama names them: `completion`, `tools`, `vision`, `thinking`, `embedding`. */
  capabilities?: readonly string[] | undefined
  /** Where its owner has measured it. */
  speed?: ModelSpeed | undefined
}

/** A method and a path a service shares with peers. `path` ends in `*` for a prefix; `method` `*` is any. */
export interface SharedPath {
  method: string
  path: string
}

/** What the owner asked for; the registry turns it into a live {@link LocalService}. */
export interface ServiceRegistration {
  /** `llm` reads its models from the server; any other name is a generic service. */
  name: string
  /** A loopback address or `localhost`, unless the owner allowed a remote target. */
  host: string
  port: number
  healthPath: string
  /** How often a server that never answered is asked again before it is given up. */
  healthRetries: number
  /** Milliseconds between checks of a server that does not answer. */
  healthIntervalMs: number
  /** Entries besides those read from the server. */
  identityGroups: readonly string[]
  /** `llm`: shared besides the usual ones. Generic: shared instead of everything. */
  sharedPaths: readonly SharedPath[]
  /** Who may use it: what of it has no visibility of its own, and models that appear later. */
  visibility: Visibility
  /** Who may use single models (published id or the server's own). */
  visibilities: ReadonlyMap<string, Visibility>
  /** A further name → the model it stands for (published id or the server's own). */
  aliases: ReadonlyMap<string, string>
  /** The models the owner ticked (published id or the server's own). */
  models: 'all' | readonly string[]
  /** Models left out although all are ticked (published id or the server's own). */
  except: readonly string[]
  /** The owner's key for the server; never published, never shown. */
  apiKey: string | undefined
  /** What stands before `/v1/` in the paths of this server: `/engines`, `/api` or nothing. */
  basePath: string
}

/** This machine's services. The one place that knows which are there and alive. */
export interface ServiceRegistry extends Service {
  list(): readonly LocalService[]
  /** What peers of that class may use, each service as they may see it. What is told or given to a peer is read here. */
  sharedWith(peers: PeerClass): readonly LocalService[]
  get(id: string): LocalService | undefined
  /** Services of that name that are `connected`, published ones first. */
  connected(name: string): readonly LocalService[]
  /**
   * Registers a service and starts to watch its server; what is missing gets its default. Registering the same name,
   * host and port again changes the registration. Returns the id.
   * @throws AppError `invalid_service`, with every fault in the sentence
   */
  add(registration: RegistrationInput): string
  /** The id {@link ServiceRegistry.add} would return; throws what that would throw, and changes nothing. */
  check(registration: RegistrationInput): string
  /** Takes a service away; false when there is none with that id. */
  remove(id: string): Promise<boolean>
  /** A request could not be forwarded to that server: it is checked at once, and is down if nothing listens any more. */
  reportFailure(id: string): void
  /** That server is answering a request now; a health check that times out meanwhile means busy, not dead. */
  reportSuccess(id: string): void
  /** That server answered that there is no such thing: its list of models is read anew, about once a second at most. */
  reportMissing(id: string): void
  /** A request to that server came back to this node: it is withdrawn until its owner registers it anew. */
  reportLoop(id: string): void
  /** Checks that server at once; resolves when it is known how it is, and never rejects. */
  recheck(id: string): Promise<void>
  /** The owner's key to send to that server, where there is one. */
  apiKey(id: string): string | undefined
  /** Calls `listener` after each change; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

/** A {@link ServiceRegistration} that needs no more than name and port. */
export type RegistrationInput = Pick<ServiceRegistration, 'name' | 'port'> & Partial<ServiceRegistration>

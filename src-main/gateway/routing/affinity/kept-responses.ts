import { BoundedMap } from '../../../base/bounded-map.js'
import type { Provider } from '../choose-providers.js'

/** Responses that are remembered; nothing of them but their ids. */
const MAX_KEPT = 10_000

/** Where the head of an answer is long enough to hold its id. */
const HEAD_CHARS = 4 * 1024

/** As every server of the interface writes them; safe in a path, too. */
const ID = /^resp_[\w-]{1,120}$/
const ID_IN_HEAD = /"id"\s*:\s*"(resp_[\w-]{1,120})"/

/** Which provider keeps the responses that went through this node: only that one can go on from them. */
export class KeptResponses {
  readonly #keepers = new BoundedMap<string, Provider>(MAX_KEPT)

  /** Who keeps a response that was made for `asker`, a peer, or for this machine’s own apps. */
  keeperOf(id: string, asker?: string): Provider | undefined {
    return ID.test(id) ? this.#keepers.get(keyOf(id, asker)) : undefined
  }

  /** Remembers who keeps a response. */
  keep(id: string, keeper: Provider, asker?: string): void {
    this.#keepers.set(keyOf(id, asker), keeper)
  }
}

const keyOf = (id: string, asker = ''): string => `${asker} ${id}`

/** Finds the id of a response in its answer, whole or streamed, as it goes by. */
export class ResponseIdReader {
  #head: string | undefined = ''
  #id: string | undefined

  /** Undefined until it was seen. */
  get id(): string | undefined {
    return this.#id
  }

  push(chunk: Buffer): void {
    if (this.#head === undefined) return
    this.#head += chunk.subarray(0, HEAD_CHARS - this.#head.length).toString('latin1')
    this.#id = ID_IN_HEAD.exec(this.#head)?.[1]
    if (this.#id !== undefined || this.#head.length >= HEAD_CHARS) this.#head = undefined
  }
}

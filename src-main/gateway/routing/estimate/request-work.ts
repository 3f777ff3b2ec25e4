import type { RequestBody } from '../../body/request-body.js'
import type { Work } from './estimate.js'
import type { PromptChain, PromptHasher } from './prompt-chain.js'
import type { SentPrompts } from './sent-prompts.js'

/** Bytes of a token, about. */
const TOKEN_BYTES = 4

/** What one request asks of providers. Its prompt is hashed when it is first asked for. */
export class RequestWork {
  readonly offer: string
  readonly #body: RequestBody
  readonly #hasher: PromptHasher
  readonly #sent: SentPrompts
  #chain: PromptChain | null | undefined

  constructor(offer: string, body: RequestBody, needs: { hasher: PromptHasher; sent: SentPrompts }) {
    this.offer = offer
    this.#body = body
    this.#hasher = needs.hasher
    this.#sent = needs.sent
  }

  /** What of it that provider has to do. */
  at(peerId: string): Work {
    const chain = this.#chainOf()
    if (chain === undefined) return { offer: this.offer, unreadTokens: 0 }
    return { offer: this.offer, unreadTokens: (chain.bytes - this.#sent.knownBytes(peerId, chain)) / TOKEN_BYTES }
  }

  /** Whether that provider has read the beginning of it. */
  isKnownTo(peerId: string): boolean {
    const chain = this.#chainOf()
    return chain !== undefined && this.#sent.knownBytes(peerId, chain) > 0
  }

  /** Providers that have read the most of it, as far as is known. */
  holders(): readonly string[] {
    const chain = this.#chainOf()
    return chain === undefined ? [] : this.#sent.holders(chain)
  }

  /** That provider has read the prompt. */
  readBy(peerId: string): void {
    const chain = this.#chainOf()
    if (chain !== undefined) this.#sent.read(peerId, chain)
  }

  #chainOf(): PromptChain | undefined {
    if (this.#chain === undefined) {
      const json = this.#body.kind === 'read' ? this.#body.json : undefined
      this.#chain = (json === undefined ? undefined : this.#hasher.chainOf(json)) ?? null
    }
    return this.#chain ?? undefined
  }
}

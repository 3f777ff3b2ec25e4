import type { JsonObjectBytes } from '../../../base/json/object.js'
import type { RequestBody } from '../../body/request-body.js'
import type { Asked } from '../eligibility/eligibility.js'
import { needsOf, type RequestNeeds } from '../eligibility/request-needs.js'
import type { TokenSizes } from '../eligibility/token-sizes.js'
import type { Work } from './estimate.js'
import type { PromptChain, PromptHasher } from './prompt-chain.js'
import type { SentPrompts } from './sent-prompts.js'

/** Bytes of a token, about. */
const TOKEN_BYTES = 4

/** What one request asks of providers. Its prompt is hashed when it is first asked for. */
export class RequestWork {
  readonly offer: string
  readonly #body: RequestBody
  readonly #path: string
  readonly #hasher: PromptHasher
  readonly #sent: SentPrompts
  readonly #sizes: TokenSizes
  #chain: PromptChain | null | undefined
  #needs: RequestNeeds | undefined

  constructor(
    { offer, body, path }: { offer: string; body: RequestBody; path: string },
    needs: { hasher: PromptHasher; sent: SentPrompts; sizes: TokenSizes },
  ) {
    this.offer = offer
    this.#body = body
    this.#path = path
    this.#hasher = needs.hasher
    this.#sent = needs.sent
    this.#sizes = needs.sizes
  }

  /** What it asks of a model. */
  get asked(): Asked {
    this.#needs ??= needsOf(this.#path, this.#json)
    const { isMixed, setsContext } = this.#needs
    const chain = isMixed || setsContext ? undefined : this.#chainOf()
    return { needs: this.#needs, tokens: chain === undefined ? undefined : this.#sizes.range(this.offer, chain.bytes) }
  }

  /** What of it that provider has to do. */
  at(peerId: string): Work {
    return { offer: this.offer, unreadTokens: this.unreadTokens(peerId) }
  }

  /** Tokens of its prompt, about: bytes over four; 0 where it has none. */
  get tokens(): number {
    return (this.#chainOf()?.bytes ?? 0) / TOKEN_BYTES
  }

  /** Those of them that this provider has to read: fewer where it has read the beginning. */
  unreadTokens(peerId: string): number {
    const chain = this.#chainOf()
    return chain === undefined ? 0 : (chain.bytes - this.#sent.knownBytes(peerId, chain)) / TOKEN_BYTES
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

  /** Its server counted so many tokens in the prompt; 0 where it told none. */
  counted(tokens: number): void {
    if (tokens === 0) return
    const chain = this.asked.needs.isMixed ? undefined : this.#chainOf()
    if (chain !== undefined) this.#sizes.counted(this.offer, chain.bytes, tokens)
  }

  get #json(): JsonObjectBytes | undefined {
    return this.#body.kind === 'read' ? this.#body.json : undefined
  }

  #chainOf(): PromptChain | undefined {
    if (this.#chain === undefined) {
      const json = this.#json
      this.#chain = (json === undefined ? undefined : this.#hasher.chainOf(json)) ?? null
    }
    return this.#chain ?? undefined
  }
}

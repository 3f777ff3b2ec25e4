import { z } from 'zod'
import type { Clock } from '../../../base/clock.js'
import { readJsonFile, writeJsonFile } from '../../../base/json-file.js'
import type { Service } from '../../../base/lifecycle.js'
import type { Log } from '../../../logging/index.js'
import type { TokenSizes } from '../eligibility/token-sizes.js'
import type { ProviderScores } from '../provider-scores.js'

/** A crash loses at most what was learned within this time. */
const SAVE_EVERY_MS = 60_000
/** What is older says nothing any more. */
const MAX_AGE_MS = 7 * 24 * 3_600_000
/** Rates and models that are kept; of more, those measured last. */
const MAX_RATES = 1_024
const MAX_MODELS = 1_024

const ms = z.number().min(0).max(3_600_000)
const name = z.string().min(1).max(512)
const count = z.number().int().min(1).max(1e9)

const LearnedRateSchema = z.strictObject({
  peer: name,
  /** An `offerKey`. */
  offer: name,
  fixedMs: ms,
  perThousandMs: ms,
  spread: z.number().min(0).max(100),
  measurements: count,
  /** How long a request has a slot there; absent where none has ended yet. */
  holdMs: ms.optional(),
  /** When it was measured, Unix milliseconds. */
  atMs: z.number().int().min(0),
})

const LearnedSizeSchema = z.strictObject({
  offer: name,
  bytesPerToken: z.number().min(0.1).max(1_000),
  error: z.number().min(0).max(100),
  answers: count,
})

const FileSchema = z.strictObject({
  version: z.literal(1),
  rates: z.array(LearnedRateSchema).max(MAX_RATES),
  sizes: z.array(LearnedSizeSchema).max(MAX_MODELS),
})

/** What one provider takes for requests to one model, as it is kept over a restart. */
export type LearnedRate = z.output<typeof LearnedRateSchema>

/** How long the tokens of one model are, as it is kept over a restart. */
export type LearnedSize = z.output<typeof LearnedSizeSchema>

/**
 * Keeps what was learned of providers' speed and of models' tokens in a file, so that a node that starts again need not
 * try each of them anew. Figures alone: which provider, which model, how fast. What was sent where is not in it. A file
 * that cannot be understood is left, and all is learned anew.
 */
export function createLearnedRates(
  needs: {
    scores: Pick<ProviderScores, 'learned' | 'remember'>
    sizes: Pick<TokenSizes, 'learned' | 'remember'>
    clock: Clock
    log: Log
  },
  options: { file: string },
): Service {
  return new LearnedRatesFile(needs, options.file)
}

class LearnedRatesFile implements Service {
  readonly name = 'learned-rates'
  readonly #needs: Parameters<typeof createLearnedRates>[0]
  readonly #file: string
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  #saved = ''
  #saving: Promise<void> = Promise.resolve()

  constructor(needs: Parameters<typeof createLearnedRates>[0], file: string) {
    this.#needs = needs
    this.#file = file
    this.#log = needs.log.forComponent('learned-rates')
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const content = await readJsonFile(this.#file, FileSchema)
    if (content.kind === 'broken') {
      this.#log.warn('what was learned of providers cannot be read and is learned anew', { reason: content.reason })
    } else if (content.kind === 'read') {
      const now = this.#needs.clock.now()
      const { rates, sizes } = content.value
      // A clock that was set back makes none of them younger than new.
      for (const rate of rates) {
        const ageMs = Math.max(0, now - rate.atMs)
        if (ageMs <= MAX_AGE_MS) this.#needs.scores.remember(rate, ageMs)
      }
      for (const size of sizes) this.#needs.sizes.remember(size)
    }
    this.#timer = setInterval(() => this.#save(), SAVE_EVERY_MS).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#save()
    await this.#saving
  }

  #save(): void {
    const { scores, sizes, clock } = this.#needs
    const rates = scores.learned(clock.now()).toSorted((one, other) => other.atMs - one.atMs)
    const content = { version: 1, rates: rates.slice(0, MAX_RATES), sizes: sizes.learned().slice(-MAX_MODELS) }
    const text = JSON.stringify(content)
    if (text === this.#saved || content.rates.length + content.sizes.length === 0) return
    this.#saved = text
    this.#saving = this.#saving
      .then(() => writeJsonFile(this.#file, content, { indent: 0 }))
      .catch((error: unknown) => this.#log.error('what was learned of providers could not be saved', { error }))
  }
}

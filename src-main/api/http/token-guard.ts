import { createHash, timingSafeEqual } from 'node:crypto'
import { AppError } from '#shared/errors.js'
import type { MonotonicClock } from '../../base/clock.js'

/** Bad tokens answered with 401 per minute; beyond it 429 tells a stray client to slow down. */
const MAX_FAILURES = 20
const WINDOW_MS = 60_000

/** Checks the secret that a caller of the control interface must show. */
export interface TokenGuard {
  /** Throws `unauthorized`, or `rate_limited` after too many bad tokens. The right token always passes. */
  assert(presented: string | undefined): void
}

/** A guard for the token that counts now. Comparing takes the same time however much of it is right. */
export function createTokenGuard(needs: { monotonic: MonotonicClock; token: () => string }): TokenGuard {
  let failuresAtMs: number[] = []
  return {
    assert(presented) {
      if (presented !== undefined && timingSafeEqual(digest(presented), digest(needs.token()))) return
      const nowMs = needs.monotonic.elapsedMs()
      failuresAtMs = failuresAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS)
      const oldestMs = failuresAtMs[0]
      if (oldestMs !== undefined && failuresAtMs.length >= MAX_FAILURES) {
        throw new AppError('rate_limited', 'Too many calls with a wrong key. Wait a moment.', {
          retryAfterS: Math.ceil((oldestMs + WINDOW_MS - nowMs) / 1000),
        })
      }
      failuresAtMs.push(nowMs)
      throw new AppError('unauthorized', 'The key is missing or no longer counts. `ocf open` opens the dashboard.')
    },
  }
}

/** Equal lengths for the comparison, whatever was presented. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

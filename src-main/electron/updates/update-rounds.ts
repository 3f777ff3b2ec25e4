import type { UpdatesSource } from '../../api/handlers/update.js'

/** Between two looks. */
export const ROUND_MS = 24 * 60 * 60_000

/** Looks for newer versions by itself, while the person wants that. */
export interface UpdateRounds {
  /** The wish may have changed: looks at once when it is there and no round is planned. */
  review(): void
  stop(): void
}

/** Rounds over updates: look, download what is found, again a day later. What is ready waits for the person. */
export function createUpdateRounds(needs: { updates: UpdatesSource; isWanted: () => boolean }): UpdateRounds {
  const { updates, isWanted } = needs
  let timer: NodeJS.Timeout | undefined

  async function round(): Promise<void> {
    const { kind } = await updates.check()
    // The wish may have gone while the answer was on its way.
    if (kind === 'available' && isWanted()) await updates.download()
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    review() {
      if (!isWanted() || updates.state.kind === 'unsupported') {
        stop()
        return
      }
      if (timer !== undefined) return
      timer = setInterval(() => void round(), ROUND_MS)
      timer.unref()
      void round()
    },
    stop,
  }
}

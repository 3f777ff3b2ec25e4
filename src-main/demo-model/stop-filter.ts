/** Lets text through until one of the stop texts appears, also where it is spread over several pieces. */
export interface StopFilter {
  /** What may be shown now, and whether a stop text has been met. Nothing may be pushed after that. */
  push(piece: string): { text: string; stopped: boolean }
  /** What was held back because a stop text might have begun there. */
  flush(): string
}

/** A filter for these stop texts; empty ones are ignored. */
export function createStopFilter(stops: readonly string[]): StopFilter {
  const wanted = stops.filter((stop) => stop !== '')
  let held = ''

  return {
    push(piece) {
      held += piece
      const at = wanted.map((stop) => held.indexOf(stop)).filter((index) => index !== -1)
      if (at.length > 0) {
        const text = held.slice(0, Math.min(...at))
        held = ''
        return { text, stopped: true }
      }
      const keep = Math.max(0, ...wanted.map((stop) => overlap(held, stop)))
      const text = held.slice(0, held.length - keep)
      held = held.slice(held.length - keep)
      return { text, stopped: false }
    },
    flush() {
      const text = held
      held = ''
      return text
    },
  }
}

/** How many characters at the end of `text` could be the beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length -= 1) {
    if (stop.startsWith(text.slice(-length))) return length
  }
  return 0
}

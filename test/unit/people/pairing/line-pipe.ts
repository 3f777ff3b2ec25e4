import type { Line } from '../../../../src-main/people/pairing/conversation.js'

/** One end of a line in memory. */
export interface PipeEnd extends Line {
  /** What this end sent. */
  readonly sent: Uint8Array[]
}

/** Both ends of a line; it breaks before the frame for which `lose` is true, and both hear of it. */
export function linePipe(lose: (frame: Uint8Array, from: 0 | 1) => boolean = () => false): [PipeEnd, PipeEnd] {
  const inboxes: Uint8Array[][] = [[], []]
  const waiting: (() => void)[][] = [[], []]
  let isBroken = false
  const wake = (side: number): void => waiting[side]?.splice(0).forEach((go) => go())
  const end = (own: 0 | 1): PipeEnd => {
    const sent: Uint8Array[] = []
    return {
      sent,
      async next() {
        for (;;) {
          const frame = inboxes[own]?.shift()
          if (frame !== undefined) return frame
          if (isBroken) throw new Error('the line is gone')
          await new Promise<void>((resolve) => waiting[own]?.push(resolve))
        }
      },
      send(frame) {
        if (isBroken) throw new Error('the line is gone')
        sent.push(frame)
        if (lose(frame, own)) {
          isBroken = true
          wake(0)
        } else inboxes[1 - own]?.push(frame)
        wake(1 - own)
        if (isBroken) wake(own)
      },
    }
  }
  return [end(0), end(1)]
}

import type { LogLine } from '#shared/contract/node/logs.js'

/** The last lines of the log, for the log page. */
export interface LogRing {
  /** Oldest first; a line stays the same object. */
  lines(): LogLine[]
  /** Calls `listener` after each new line; returns the way to stop. Lines logged by a listener are kept, not announced. */
  subscribe(listener: (line: LogLine) => void): () => void
}

/** A ring that also takes lines. */
export interface WritableLogRing extends LogRing {
  /** Numbers the line and keeps it; the oldest one goes when the ring is full. */
  push(line: Omit<LogLine, 'seq'>): void
}

/** Keeps the last `capacity` lines in memory. A listener that throws is dropped and the ring says so. */
export function createLogRing(options: { capacity: number }): WritableLogRing {
  const { capacity } = options
  const slots: LogLine[] = []
  const listeners = new Set<(line: LogLine) => void>()
  let count = 0
  let announcing = false

  function keep(line: Omit<LogLine, 'seq'>): LogLine {
    const numbered: LogLine = { seq: count, ...line }
    slots[count % capacity] = numbered
    count += 1
    return numbered
  }

  function announce(line: LogLine): void {
    if (announcing) return
    announcing = true
    for (const listener of listeners) {
      try {
        listener(line)
      } catch (error) {
        listeners.delete(listener)
        keep({
          atMs: line.atMs,
          level: 'error',
          component: 'logging',
          message: 'a follower of the log failed and was dropped',
          fields: JSON.stringify({ error: error instanceof Error ? error.message : String(error) }),
        })
      }
    }
    announcing = false
  }

  return {
    lines() {
      const oldest = count % capacity
      return slots.length < capacity ? [...slots] : [...slots.slice(oldest), ...slots.slice(0, oldest)]
    },
    subscribe(listener) {
      const own = (line: LogLine): void => listener(line)
      listeners.add(own)
      return () => {
        listeners.delete(own)
      }
    },
    push: (line) => announce(keep(line)),
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import { heapMiB } from '../../fixtures/heap.ts'
import { LARGEST_INPUTS } from '../../fixtures/largest-inputs.ts'
import { median } from '../statistics.ts'

/** What reading one of the largest inputs costs; medians of some rounds. */
export interface LargestRow {
  name: string
  most: string
  /** The longest time that nothing else had its turn, in ms of this thread's processor: other programs do not count. */
  stallMs: number
  totalMs: number
  /** What it left on the heap. */
  leftMiB: number
  isAtStart: boolean
}

/** Milliseconds that this thread has had a processor. */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Reads once; returns the longest stall and the whole time. */
async function timed(read: () => unknown): Promise<{ stallMs: number; totalMs: number }> {
  let lastMs = busyMs()
  let stallMs = 0
  let isOver = false
  const turn = (): void => {
    const nowMs = busyMs()
    stallMs = Math.max(stallMs, nowMs - lastMs)
    lastMs = nowMs
    if (!isOver) setImmediate(turn)
  }
  await nextTurn()
  const startedAtMs = busyMs()
  lastMs = startedAtMs
  setImmediate(turn)
  await read()
  const totalMs = busyMs() - startedAtMs
  isOver = true
  await nextTurn()
  await nextTurn()
  return { stallMs, totalMs }
}

const [rounds = 3] = process.argv.slice(2).map(Number)
const rows: LargestRow[] = []
for (const { name, most, make, isAtStart = false } of LARGEST_INPUTS) {
  const takes: { stallMs: number; totalMs: number; leftMiB: number }[] = []
  for (let round = 0; round < rounds; round += 1) {
    const read = await make()
    const before = heapMiB()
    takes.push({ ...(await timed(read)), leftMiB: heapMiB() - before })
  }
  const of = (figure: 'stallMs' | 'totalMs' | 'leftMiB'): number => median(takes.map((take) => take[figure]))
  rows.push({ name, most, stallMs: of('stallMs'), totalMs: of('totalMs'), leftMiB: of('leftMiB'), isAtStart })
}
process.send?.(rows)

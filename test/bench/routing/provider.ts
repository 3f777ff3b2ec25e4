import type { Simulation } from './simulation.ts'
import { BlockCache } from './trace/block-cache.ts'
import { BLOCK_TOKENS } from './trace/trace-file.ts'
import type { SimRequest } from './workload.ts'

/** What a provider can do, measured where it stands. */
export interface ProviderSpec {
  /** Requests it works on at a time, and how many may wait for how long. */
  slots: number
  queue: number
  queueTimeMs: number
  /** Milliseconds to read 1,000 tokens of a prompt, and to write one token. */
  readMsPerThousand: number
  tokenMs: number
  /** To it and back. */
  rttMs: number
  /** Blocks of prompts that it keeps, where requests tell theirs. */
  cacheBlocks?: number
  /** What it always tells of its load, whatever that is. */
  told?: { slots: number; queued: number }
}

/** What a try hears, when it reaches the gateway. */
interface TryEvents {
  firstByte: () => void
  done: () => void
  refused: () => void
  /** The connection was lost or could not be made. */
  lost: () => void
}

export interface SimProvider {
  readonly id: string
  readonly rttMs: number
  /** Calls what is returned when the gateway wants no answer any more; nothing is heard of it from then on. */
  send(request: SimRequest, events: TryEvents): () => void
  /** What it would tell now; undefined while it is gone. */
  status(): { slotsTotal: number; slotsFree: number; queueLength: number } | undefined
  /** `silently`: nobody hears of it but by waiting. */
  goAway(silently: boolean): void
  comeBack(): void
  /** Everything takes this many times as long. */
  slowDown(times: number): void
  /** Requests that are on their way to it. */
  readonly onTheWay: number
  /** Tokens of prompts that it had to read, and those it knew. */
  readonly read: { tokens: number; known: number }
}

interface Job {
  request: SimRequest
  events: TryEvents
  stage: 'waiting' | 'running' | 'ended'
}

/** Conversations whose prompt a server still holds. */
const CACHED = 24
/** A full batch reads and writes this much slower than a single request. */
const CROWDING = 0.6
const CONNECT_TIMEOUT_MS = 5_000
/** Until the silence of a vanished peer is taken for its end. */
const SILENCE_MS = 15_000
/** What every request takes beside its tokens. */
const FIXED_MS = 20

export function createProvider(sim: Simulation, id: string, spec: ProviderSpec): SimProvider {
  const jobs = new Set<Job>()
  const waiting: Job[] = []
  const cached = new Set<string>()
  const blocks = new BlockCache(spec.cacheBlocks ?? 0)
  const read = { tokens: 0, known: 0 }
  let running = 0
  let onTheWay = 0
  let slowness = 1
  let gone: 'no' | 'crashed' | 'vanished' = 'no'
  let goneAtMs = 0

  const toGateway = (tell: () => void): void => sim.after(spec.rttMs / 2, tell)

  function end(job: Job): void {
    if (job.stage === 'running') running -= 1
    job.stage = 'ended'
    jobs.delete(job)
    const next = waiting.shift()
    if (next !== undefined) start(next)
  }

  function start(job: Job): void {
    const { request, events } = job
    job.stage = 'running'
    running += 1
    const pace = slowness * (1 + (CROWDING * (running - 1)) / spec.slots)
    const known = request.blocks === undefined ? knownOf(request) : blocks.take(request.blocks) * BLOCK_TOKENS
    const unread = Math.max(1, request.contextTokens - known)
    read.tokens += unread
    read.known += request.contextTokens - unread
    const readMs = (FIXED_MS + (unread / 1000) * spec.readMsPerThousand) * pace
    sim.after(readMs, () => {
      if (job.stage !== 'running') return
      toGateway(events.firstByte)
      sim.after(request.answerTokens * spec.tokenMs * pace, () => {
        if (job.stage !== 'running') return
        toGateway(events.done)
        end(job)
      })
    })
  }

  /** Tokens it need not read, which it holds from now on. */
  function knownOf({ conversation, knownTokens }: SimRequest): number {
    const known = cached.has(conversation) ? knownTokens : 0
    remember(conversation)
    return known
  }

  function remember(conversation: string): void {
    cached.delete(conversation)
    cached.add(conversation)
    for (const oldest of cached) {
      if (cached.size <= CACHED) return
      cached.delete(oldest)
    }
  }

  function arrive(job: Job): void {
    const { events } = job
    if (gone !== 'no') {
      fail(events)
      return
    }
    if (running < spec.slots) {
      jobs.add(job)
      start(job)
      return
    }
    if (waiting.length >= spec.queue) {
      toGateway(events.refused)
      return
    }
    jobs.add(job)
    waiting.push(job)
    sim.after(spec.queueTimeMs, () => {
      if (job.stage !== 'waiting') return
      waiting.splice(waiting.indexOf(job), 1)
      job.stage = 'ended'
      jobs.delete(job)
      toGateway(events.refused)
    })
  }

  function leave(job: Job): void {
    if (!jobs.has(job)) return
    if (job.stage === 'waiting') waiting.splice(waiting.indexOf(job), 1)
    if (job.stage === 'running') end(job)
    job.stage = 'ended'
    jobs.delete(job)
  }

  /** A crashed program refuses connections at once; a machine that vanished answers nothing. */
  function fail(events: TryEvents): void {
    const noticedMs = goneAtMs + SILENCE_MS - sim.now()
    if (gone === 'crashed') toGateway(events.lost)
    else sim.after(noticedMs > 0 ? noticedMs : CONNECT_TIMEOUT_MS, events.lost)
  }

  return {
    id,
    rttMs: spec.rttMs,
    send(request, events) {
      const job: Job = { request, events, stage: 'waiting' }
      onTheWay += 1
      sim.after(spec.rttMs / 2, () => {
        onTheWay -= 1
        arrive(job)
      })
      return () => sim.after(spec.rttMs / 2, () => leave(job))
    },
    get onTheWay() {
      return onTheWay
    },
    status() {
      if (gone !== 'no') return undefined
      const { slots, queued } = spec.told ?? { slots: spec.slots, queued: running + waiting.length }
      return { slotsTotal: slots, slotsFree: Math.max(0, slots - queued), queueLength: queued }
    },
    goAway(silently) {
      gone = silently ? 'vanished' : 'crashed'
      goneAtMs = sim.now()
      waiting.length = 0
      for (const job of jobs) {
        job.stage = 'ended'
        fail(job.events)
      }
      jobs.clear()
      cached.clear()
      blocks.clear()
      running = 0
    },
    comeBack: () => void (gone = 'no'),
    slowDown: (times) => void (slowness = times),
    read,
  }
}

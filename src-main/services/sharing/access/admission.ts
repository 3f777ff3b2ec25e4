import type { Usage } from '#shared/contract/limits.js'
import { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'
import { Bag, NOWHERE, type Placed } from '../../../base/bag.js'
import type { Clock } from '../../../base/clock.js'
import { whoIsNext, whoMakesRoom, type Standing } from './fairness.js'
import type { Admission, Ticket } from './index.js'
import { createPeerRate } from './peer-rate.js'

/** A body may take this long to arrive before its place in the queue goes to others. */
const ARRIVAL_MS = 120_000
/** Peers whose last turn is remembered while they have nothing here. */
const MAX_STANDINGS = 4096

interface Request extends Placed {
  readonly peerId: string
  stage: 'arriving' | 'waiting' | 'running' | 'ended'
  grant: (() => void) | undefined
  refuse: ((error: AppError) => void) | undefined
  /** Refused before it asked for its turn. */
  refusal: AppError | undefined
  timer: NodeJS.Timeout | undefined
  cut: ((reason: AppError) => void)[]
}

/** The places for other peers' requests: a bounded, short and fair queue before them, the owner's own always ahead. */
export function createAdmission(needs: { clock: Clock; limits: () => Limits }): Admission {
  const rate = createPeerRate(needs)
  /** Arriving and waiting, in the order they came. */
  const queue: Request[] = []
  const running = new Bag<Request>()
  const standings = new Map<string, Standing>()
  const refused = new Map<string, number>()
  const listeners = new Set<() => void>()
  let own = 0
  let turns = 0
  let closed: AppError | undefined

  function changed(): void {
    for (const listener of listeners) listener()
  }

  function counted(error: AppError): AppError {
    refused.set(error.code, (refused.get(error.code) ?? 0) + 1)
    changed()
    return error
  }

  /** Places for peers at this moment: the owner's own requests take theirs first. */
  const places = (): number => Math.max(0, needs.limits().concurrent - own)

  function standingOf(peerId: string): Standing {
    const known = standings.get(peerId)
    if (known !== undefined) return known
    const standing = { running: 0, lastTurn: 0 }
    standings.set(peerId, standing)
    if (standings.size > MAX_STANDINGS) {
      const idle = [...standings].find(([, other]) => other.running === 0 && other !== standing)
      if (idle !== undefined) standings.delete(idle[0])
    }
    return standing
  }

  function check(peerId: string): void {
    const { allowedPeers, blockedPeers, requestsPerMinute } = needs.limits()
    const isAllowed = allowedPeers.length === 0 || allowedPeers.includes(peerId)
    if (!isAllowed || blockedPeers.includes(peerId)) {
      throw counted(new AppError('peer_not_allowed', 'The owner of this node does not share with this peer.'))
    }
    if (closed !== undefined) throw counted(closed)
    const retryAfterS = rate.take(peerId, requestsPerMinute)
    if (retryAfterS === 0) return
    throw counted(
      new AppError('rate_limited', `This peer may ask ${requestsPerMinute} times a minute. Try again later.`, {
        retryAfterS,
      }),
    )
  }

  function busy(): AppError {
    const { queueTimeMs } = needs.limits()
    const retryAfterS = Math.max(1, Math.ceil(queueTimeMs / 2000))
    return counted(
      new AppError('provider_busy', 'This node works on as many requests of others as its owner allows.', {
        retryAfterS,
      }),
    )
  }

  /** A place in the queue, if need be that of a peer who has more of them. */
  function join(request: Request): void {
    const room = needs.limits().queue + Math.max(0, places() - running.size)
    if (queue.length >= room) {
      const leaving = whoMakesRoom(queue, request.peerId)
      if (leaving === undefined) throw busy()
      refuse(leaving, busy())
    }
    queue.push(request)
    request.timer = setTimeout(() => refuse(request, busy()), ARRIVAL_MS)
    request.timer.unref()
  }

  function leaveQueue(request: Request): void {
    clearTimeout(request.timer)
    const index = queue.indexOf(request)
    if (index !== -1) queue.splice(index, 1)
  }

  function refuse(request: Request, error: AppError): void {
    leaveQueue(request)
    request.stage = 'ended'
    request.refusal = error
    request.refuse?.(error)
    changed()
  }

  function serveNext(): void {
    while (running.size < places()) {
      if (queue.length === 0) return
      const next = whoIsNext(
        queue.filter(({ stage }) => stage === 'waiting'),
        standingOf,
      )
      if (next === undefined) return
      leaveQueue(next)
      const standing = standingOf(next.peerId)
      standing.running += 1
      turns += 1
      standing.lastTurn = turns
      next.stage = 'running'
      running.add(next)
      next.grant?.()
    }
  }

  function turn(request: Request): Promise<'granted' | 'left'> {
    return new Promise((resolve, reject) => {
      if (request.refusal !== undefined) {
        reject(request.refusal)
        return
      }
      if (request.stage !== 'arriving') {
        resolve('left')
        return
      }
      request.stage = 'waiting'
      request.grant = () => resolve(request.stage === 'running' ? 'granted' : 'left')
      request.refuse = reject
      clearTimeout(request.timer)
      serveNext()
      if (isWaiting(request)) {
        request.timer = setTimeout(() => refuse(request, busy()), needs.limits().queueTimeMs)
      }
      changed()
    })
  }

  function end(request: Request): void {
    const { stage } = request
    if (stage === 'ended') return
    request.stage = 'ended'
    if (stage === 'running') {
      running.delete(request)
      const standing = standingOf(request.peerId)
      standing.running = Math.max(0, standing.running - 1)
    } else {
      leaveQueue(request)
      request.grant?.()
    }
    serveNext()
    changed()
  }

  function usage(): Usage {
    const limits = needs.limits()
    const consumers = new Map<string, { peerId: string; running: number; waiting: number }>()
    const consumerOf = (peerId: string) => {
      const known = consumers.get(peerId) ?? { peerId, running: 0, waiting: 0 }
      consumers.set(peerId, known)
      return known
    }
    for (const { peerId } of running) consumerOf(peerId).running += 1
    for (const { peerId } of queue) consumerOf(peerId).waiting += 1
    return {
      slots: { used: running.size, total: limits.concurrent },
      queue: { used: queue.length, total: limits.queue },
      ownRunning: own,
      consumers: [...consumers.values()],
      refused: [...refused].map(([code, count]) => ({ code, count })),
      limits,
    }
  }

  return {
    enter(peerId): Ticket {
      check(peerId)
      const request: Request = {
        place: NOWHERE,
        peerId,
        stage: 'arriving',
        grant: undefined,
        refuse: undefined,
        refusal: undefined,
        timer: undefined,
        cut: [],
      }
      join(request)
      changed()
      return {
        turn: () => turn(request),
        end: () => end(request),
        onCut: (listener) => void request.cut.push(listener),
      }
    },
    check,
    beginOwn() {
      own += 1
      changed()
      let ended = false
      return () => {
        if (ended) return
        ended = true
        own -= 1
        serveNext()
        changed()
      }
    },
    close(reason) {
      closed = reason
      if (reason !== undefined) for (const request of [...queue]) refuse(request, counted(reason))
      changed()
    },
    get closed() {
      return closed
    },
    cutRunning(reason) {
      for (const request of running) for (const listener of request.cut) listener(reason)
    },
    usage,
    get atWork() {
      return running.size + own
    },
    get hasRoom() {
      return running.size + own < needs.limits().concurrent
    },
    get limits() {
      return needs.limits()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    limitsChanged() {
      serveNext()
      changed()
    },
  }
}

const isWaiting = ({ stage }: Request): boolean => stage === 'waiting'

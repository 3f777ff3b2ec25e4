import type { Connection } from '@libp2p/interface'
import { systemClock, type Clock } from '../../../base/clock.js'
import type { Log } from '../../../logging/index.js'
import { relayOf } from '../../dial/ip-scope.js'
import { answersPing } from './ping-stream.js'
import type { Pulse, Pulses } from './pulses.js'
import { sendBufferOf, takenBetween, type SendBuffer } from './send-buffer.js'
import { ANSWER_WITHIN_MS, askedNow, judge, MAX_QUEUED_BYTES, noSilence, type Silence } from './silence.js'
import { SilentConnectionError } from './silent-connection.js'
import type { LifeWatch } from './index.js'

export interface LifeWatchNeeds {
  pulses: Pick<Pulses, 'of'>
  connectionsTo(peerId: string): Iterable<Connection>
  /** Hears of each connection that was cut. */
  onCut?(connection: Connection): void
  log: Log
  clock?: Clock
}

const LOOK_EVERY_MS = 1_000
/** Looks at nothing after which the timer ends: requests that follow each other do not start one each. */
const IDLE_LOOKS = 10

interface Watched {
  pulse: Pulse
  silence: Silence
  buffer: SendBuffer
}

/** Looks every second while anything is in use, and has no timer otherwise. */
export function createLifeWatch(needs: LifeWatchNeeds): LifeWatch & { stop(): void } {
  const { pulses, log, clock = systemClock } = needs
  const sources = new Set<() => Iterable<Connection>>()
  const watched = new Map<Connection, Watched>()
  /** Bytes written when a connection was last looked at: a request is on its way before it is seen to be in use. */
  const seenBytes = new WeakMap<Connection, number>()
  let timer: NodeJS.Timeout | undefined
  let lookedAtMs = 0
  let idleLooks = 0

  function look(): void {
    const now = clock.now()
    const sinceLastMs = now - lookedAtMs
    lookedAtMs = now
    const inUse = connectionsInUse()
    const dead: Connection[] = []
    for (const [connection, entry] of watched) {
      if (connection.status !== 'open' || (!inUse.has(connection) && entry.silence.asked === undefined)) {
        watched.delete(connection)
      } else if (isDead(connection, entry, sinceLastMs)) dead.push(connection)
    }
    for (const connection of inUse) begin(connection)
    for (const connection of dead) cut(connection)
    idleLooks = watched.size === 0 ? idleLooks + 1 : 0
    if (idleLooks >= IDLE_LOOKS) sleep()
  }

  function connectionsInUse(): Set<Connection> {
    const inUse = new Set<Connection>()
    for (const list of sources) for (const connection of list()) inUse.add(connection)
    for (const connection of [...inUse]) {
      const relay = relayOfConnection(connection)
      if (relay !== undefined) for (const below of needs.connectionsTo(relay)) inUse.add(below)
    }
    return inUse
  }

  function begin(connection: Connection): Watched | undefined {
    const known = watched.get(connection)
    if (known !== undefined) return known
    const pulse = connection.status === 'open' ? pulses.of(connection) : undefined
    if (pulse === undefined) return undefined
    pulse.takeHeard()
    const buffer = bufferOf(connection, pulse)
    const sinceBytes = Math.max(0, buffer.writtenBytes - (seenBytes.get(connection) ?? 0))
    const entry = { pulse, silence: noSilence(Math.min(sinceBytes, MAX_QUEUED_BYTES)), buffer }
    watched.set(connection, entry)
    return entry
  }

  function isDead(connection: Connection, entry: Watched, sinceLastMs: number): boolean {
    const { pulse } = entry
    const buffer = bufferOf(connection, pulse)
    const { silence, verdict } = judge(entry.silence, {
      sinceLastMs,
      isHeard: pulse.takeHeard(),
      takenBytes: takenBetween(entry.buffer, buffer),
      writtenBytes: Math.max(0, buffer.writtenBytes - entry.buffer.writtenBytes),
    })
    entry.silence = silence
    entry.buffer = buffer
    seenBytes.set(connection, buffer.writtenBytes)
    if (verdict === 'ask') pulse.ask()
    return verdict === 'dead'
  }

  /** What is sent through a relay waits in the buffers of the connection to it. */
  function bufferOf(connection: Connection, pulse: Pulse): SendBuffer {
    const own = sendBufferOf(connection)
    const relay = relayOfConnection(connection)
    const below = relay === undefined ? [] : [...needs.connectionsTo(relay)]
    const writtenBelow = below.reduce((sum, one) => sum + sendBufferOf(one).writtenBytes, 0)
    return {
      ...own,
      waitingBytes: own.waitingBytes + pulse.unsentBytes(),
      writtenBytes: own.writtenBytes + writtenBelow,
    }
  }

  /** With a relay go the connections through it that are as quiet: their end is to be told as what it is. */
  function cut(connection: Connection): void {
    const peerId = connection.remotePeer.toString()
    const entry = watched.get(connection)
    if (entry === undefined) return
    watched.delete(connection)
    for (const [through, { silence }] of watched) {
      if (silence.quietMs > 0 && relayOfConnection(through) === peerId) cut(through)
    }
    const address = connection.remoteAddr.toString()
    log.info('a connection in use gave no sign of life and was cut', {
      peerId,
      address,
      quietMs: Math.round(entry.silence.quietMs),
    })
    needs.onCut?.(connection)
    connection.abort(new SilentConnectionError(relayOf(address) !== undefined))
  }

  function wake(): void {
    idleLooks = 0
    if (timer !== undefined) return
    lookedAtMs = clock.now()
    timer = setInterval(look, LOOK_EVERY_MS).unref()
  }

  function sleep(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    wake,
    follow(inUse) {
      sources.add(inUse)
      wake()
      return () => sources.delete(inUse)
    },
    doubt(connection) {
      const entry = begin(connection)
      if (entry === undefined || entry.silence.asked !== undefined) return
      entry.silence = askedNow(entry.silence)
      entry.pulse.ask()
      // QUIC asks by itself only now and then. What comes of it is heard.
      void answersPing(connection, ANSWER_WITHIN_MS)
      wake()
    },
    stop() {
      sleep()
      sources.clear()
      watched.clear()
    },
  }
}

const relayOfConnection = ({ remoteAddr }: Connection): string | undefined => relayOf(remoteAddr.toString())

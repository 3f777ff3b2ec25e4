import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../base/clock.js'
import { ROWS_OF_PARTIAL_SYNC } from '../budget/sync-plan.js'
import type { TableView } from '../view/view.js'
import { extractEnvelopes } from '../wire/canonical-update.js'
import { DIGEST_BYTES } from '../wire/envelope.js'
import { MAX_SYNC_CHUNK_BYTES } from '../wire/sync-frames.js'
import type { FrameStream, SyncFrame } from '../wire/sync-frames.js'
import type { ClockWatch } from './clock-watch.js'
import type { TableDocuments } from './documents.js'
import type { SenderLimits } from './sender-limits.js'
import type { Verdict, Verifier } from './verifier.js'

/** How a sync with a peer ended. */
export interface SyncOutcome {
  /** `same`: nothing differed. `done`: each side has what the other had. The rest: it broke off. */
  result: 'same' | 'done' | 'closed' | 'refused' | 'invalid'
  /** Envelopes this node took in. */
  learned: Uint8Array[]
  /** Of rows and state vectors, both ways; 0 for tables that are the same. */
  bytes: number
}

/** What a sync under way has come to. */
type Progress = Pick<SyncOutcome, 'learned' | 'bytes'>

/** A client id and a clock of a state vector. */
const STATE_BYTES_PER_ROW = 11

/** What both sides of a sync use. */
export interface SessionNeeds {
  view: TableView
  documents: TableDocuments
  verifier: Verifier
  limits: SenderLimits
  clock: Clock
  clockWatch: ClockWatch
  /** Whether the table holds only a part of the network: it sends a few of its rows then. Absent: no. */
  isPartial?: () => boolean
}

/** Verdicts of rows that a further sync would bring again in vain. */
const OF_NO_USE = new Set<Verdict>(['full', 'over-quota', 'early', 'old'])

/** Envelopes checked before other work gets its turn: about 10 ms. */
const ENVELOPES_PER_TURN = 64

/**
 * The side that opened the stream: `hello`, then my rows, my state, your rows. `inFull` compares tables whose digests
 * agree, too.
 */
export async function initiateSync(
  needs: SessionNeeds,
  frames: FrameStream,
  peerId: string,
  { inFull }: { inFull: boolean },
): Promise<SyncOutcome> {
  const progress: Progress = { learned: [], bytes: 0 }
  await needs.verifier.settled()
  const digest = inFull ? randomBytes(DIGEST_BYTES) : needs.view.digest()
  frames.write({ type: 'hello', digest, timeMs: needs.clock.now() })
  const answer = await frames.read()
  if (answer === 'closed') return { result: 'closed', ...progress }
  if (answer === 'invalid') return blame(needs, peerId, progress)
  if (answer.type !== 'same' && answer.type !== 'state') return blame(needs, peerId, progress)
  needs.clockWatch.heard(peerId, answer.timeMs)
  if (answer.type === 'same') return { result: 'same', ...progress }
  if (!(await sendRows(needs, frames, answer.clocks, progress))) return { result: 'closed', ...progress }
  frames.write({ type: 'state', clocks: needs.documents.clocks(), timeMs: needs.clock.now() })
  const last = await receiveRows(needs, frames, peerId, progress)
  return finish(needs, peerId, progress, last, 'end')
}

/** The side that was asked: mirrors {@link initiateSync}. */
export async function respondToSync(needs: SessionNeeds, frames: FrameStream, peerId: string): Promise<SyncOutcome> {
  const progress: Progress = { learned: [], bytes: 0 }
  const hello = await frames.read()
  if (hello === 'closed') return { result: 'closed', ...progress }
  if (hello === 'invalid' || hello.type !== 'hello') return blame(needs, peerId, progress)
  needs.clockWatch.heard(peerId, hello.timeMs)
  await needs.verifier.settled()
  if (Buffer.compare(hello.digest, needs.view.digest()) === 0) {
    frames.write({ type: 'same', timeMs: needs.clock.now() })
    return { result: 'same', ...progress }
  }
  frames.write({ type: 'state', clocks: needs.documents.clocks(), timeMs: needs.clock.now() })
  const last = await receiveRows(needs, frames, peerId, progress)
  if (typeof last === 'object' && last.type === 'state') {
    const isSent = await sendRows(needs, frames, last.clocks, progress)
    if (isSent) frames.write({ type: 'end' })
    return { result: isSent ? 'done' : 'closed', ...progress }
  }
  return finish(needs, peerId, progress, last, 'state')
}

function finish(
  needs: SessionNeeds,
  peerId: string,
  progress: Progress,
  last: SyncFrame | 'closed' | 'invalid' | 'refused',
  expected: SyncFrame['type'],
): SyncOutcome {
  if (last === 'closed' || last === 'refused') return { result: last, ...progress }
  return last !== 'invalid' && last.type === expected ? { result: 'done', ...progress } : blame(needs, peerId, progress)
}

function blame({ limits }: SessionNeeds, peerId: string, progress: Progress): SyncOutcome {
  limits.reportInvalid(peerId)
  return { result: 'invalid', ...progress }
}

/** Takes in chunks of rows until another frame comes, and gives that frame. */
async function receiveRows(
  needs: SessionNeeds,
  frames: FrameStream,
  peerId: string,
  progress: Progress,
): Promise<SyncFrame | 'closed' | 'invalid' | 'refused'> {
  let hasEnough = false
  for (;;) {
    const frame = await frames.read()
    if (typeof frame === 'string' || frame.type !== 'rows') {
      await needs.verifier.settled()
      return frame
    }
    progress.bytes += frame.update.byteLength
    const envelopes = extractEnvelopes(frame.update, MAX_SYNC_CHUNK_BYTES)
    if (envelopes === undefined || envelopes.length === 0) return 'invalid'
    // Who goes on after `enough` sends what is only work here.
    if (hasEnough || !needs.limits.admit(peerId, envelopes.length)) return 'refused'
    let [ofUse, overQuota] = [0, 0]
    for (const [index, envelope] of envelopes.entries()) {
      if (index % ENVELOPES_PER_TURN === ENVELOPES_PER_TURN - 1) await nextTurn()
      const verdict = needs.verifier.ingest(envelope, 'sync', peerId)
      if (verdict === 'malformed' || verdict === 'forged') return 'invalid'
      if (verdict === 'accepted') progress.learned.push(envelope)
      if (!OF_NO_USE.has(verdict)) ofUse += 1
      if (verdict === 'over-quota') overQuota += 1
    }
    needs.limits.overQuota(peerId, overQuota)
    hasEnough = ofUse === 0
    if (!frames.write({ type: hasEnough ? 'enough' : 'taken' })) return 'closed'
  }
}

/** Sends what a table with these clocks lacks, chunk by chunk, each after the last was taken. */
async function sendRows(
  { documents, isPartial }: SessionNeeds,
  frames: FrameStream,
  clocks: ReadonlyMap<number, number>,
  progress: Progress,
): Promise<boolean> {
  progress.bytes += 2 * STATE_BYTES_PER_ROW * clocks.size
  for (const update of documents.updatesSince(clocks, isPartial?.() === true ? ROWS_OF_PARTIAL_SYNC : undefined)) {
    progress.bytes += update.byteLength
    if (!frames.write({ type: 'rows', update })) return false
    const answer = await frames.read()
    if (typeof answer === 'string') return false
    if (answer.type === 'enough') return true
    if (answer.type !== 'taken') return false
  }
  return true
}

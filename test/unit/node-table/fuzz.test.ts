import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { Level } from 'level'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeGossipMessage, encodeGossipMessages } from '../../../src-main/node-table/replicate/gossip.js'
import { isTableFileSound } from '../../../src-main/node-table/store/table-files.js'
import { canonicalUpdate, clientIdOf, extractEnvelopes } from '../../../src-main/node-table/wire/canonical-update.js'
import { isSignedByOwner, parseEnvelope, recordOf } from '../../../src-main/node-table/wire/envelope.js'
import { decodeRecord, encodeRecord } from '../../../src-main/node-table/wire/envelope.js'
import { EPOCH_MS } from '../../../src-main/node-table/wire/epoch.js'
import { createKeyRing } from '../../../src-main/node-table/wire/key-ring.js'
import { importPrivateKey } from '../../../src-main/node-table/wire/key-ring.js'
import {
  decodeStatusAnswer,
  decodeStatusRequest,
  encodeStatusAnswer,
  encodeStatusRequest,
  parseStatus,
  splitStatusAnswer,
} from '../../../src-main/node-table/wire/status-message.js'
import { createFrameStream } from '../../../src-main/node-table/wire/sync-frames.js'
import { decodeFrame, encodeFrame, FRAME_LENGTH_BYTES } from '../../../src-main/node-table/wire/sync-frames.js'
import type { SyncFrame } from '../../../src-main/node-table/wire/sync-frames.js'
import { createMutations } from '../../fixtures/mutations.js'
import { createOwners, createTurnableClock, recordOffering, TODAY } from '../../fixtures/table-owners.js'
import type { Owner } from '../../fixtures/table-owners.js'
import { createTableParts } from '../../fixtures/table-parts.js'

/** Mutated inputs for each parser. */
const INPUTS = 100_000
/** Of those, how many go on to what costs a signature check (0.1 ms). */
const VERIFIED = 4_000
/** A hang guard; a run takes a few seconds. */
const timeout = 120_000

const keys = createKeyRing()
const clock = createTurnableClock()
const context = { nonce: new Uint8Array(16).fill(7), asker: 'somebody' }
const stackTraceLimit = Error.stackTraceLimit
let owners: Owner[]

beforeAll(async () => {
  // Errors of JSON.parse are expected by the ten thousand; their stacks are most of their cost.
  Error.stackTraceLimit = 0
  owners = await createOwners(3)
})

afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit
})

/** Feeds a parser with what has become of genuine inputs, and with nothing that is still genuine. */
function feed(seed: number, genuine: readonly Uint8Array[], parse: (bytes: Uint8Array, input: number) => void): void {
  const next = createMutations(seed, genuine)
  for (let input = 0; input < INPUTS; input += 1) parse(next(), input)
}

const updateOf = (bytes: readonly Uint8Array[]): Uint8Array =>
  canonicalUpdate(
    bytes.map((envelope, index) => ({
      ...{ peerId: owners[index]!.peerId, epoch: TODAY, seq: index * 5, bytes: envelope },
      clientId: clientIdOf(owners[index]!.peerId, TODAY),
    })),
  )

test('no mutated envelope is taken for its owner’s, and none makes the parser throw', { timeout }, () => {
  let parsedCount = 0
  feed(1, [owners[0]!.row(), owners[1]!.withdrawal()], (bytes) => {
    const parsed = parseEnvelope(bytes, keys)
    if (parsed.type !== 'envelope') return
    parsedCount += 1
    if (parsedCount > VERIFIED) return
    recordOf(parsed.envelope)
    expect(isSignedByOwner(parsed.envelope, keys)).toBe(false)
  })
  expect(parsedCount).toBeGreaterThan(INPUTS / 10)
})

/** Takes what a parser found into a view that has newer rows of the same owners, as far as it may cost. */
function createVictim(source: 'gossip' | 'sync' | 'disk'): {
  take(envelopes: readonly Uint8Array[] | undefined): void
  expectUnchanged(): void
} {
  const { view, ingest } = createTableParts({ clock, keys })
  for (const owner of owners) ingest(owner.row({ seq: EPOCH_MS / 2 + 1 }), 'sync')
  const before = view.digest()
  let found = 0
  return {
    take(envelopes) {
      for (const envelope of envelopes ?? []) if (found++ < 2 * VERIFIED) ingest(envelope, source)
    },
    expectUnchanged() {
      expect(found).toBeGreaterThan(INPUTS / 10)
      expect([view.digest(), view.entryCount]).toEqual([before, owners.length])
    },
  }
}

test.each(['sync', 'disk'] as const)(
  'no mutated update from %s makes the parser throw or changes a view',
  { timeout },
  (source) => {
    const victim = createVictim(source)
    const updates = [updateOf([owners[0]!.row(), owners[1]!.row()]), updateOf([owners[0]!.withdrawal()])]
    feed(source === 'sync' ? 2 : 12, updates, (bytes) => victim.take(extractEnvelopes(bytes, 1024 * 1024)))
    victim.expectUnchanged()
  },
)

test('no mutated gossip message makes the parser throw or changes a view', { timeout }, () => {
  const victim = createVictim('gossip')
  feed(3, encodeGossipMessages([owners[0]!.row(), owners[1]!.row()]), (bytes) =>
    victim.take(decodeGossipMessage(bytes)),
  )
  victim.expectUnchanged()
})

const framesOf = (): SyncFrame[] => {
  const clocks = new Map([
    [2 ** 53 - 1, 5],
    [7, EPOCH_MS],
  ])
  return [
    { type: 'hello', digest: new Uint8Array(16).fill(9), timeMs: clock.now() },
    { type: 'same', timeMs: clock.now() },
    { type: 'state', clocks, timeMs: clock.now() },
    { type: 'rows', update: updateOf([owners[0]!.row()]) },
    { type: 'taken' },
    { type: 'enough' },
    { type: 'end' },
  ]
}

test('no mutated sync frame makes the parser throw', { timeout }, () => {
  const types = new Set<string | undefined>()
  const genuine = framesOf().map((frame) => encodeFrame(frame).subarray(FRAME_LENGTH_BYTES))
  feed(4, genuine, (bytes) => void types.add(decodeFrame(bytes)?.type))
  // A frame without a payload is genuine or none.
  expect(types).toEqual(new Set(['hello', 'same', 'state', 'rows', undefined]))
})

/** A stream that says some bytes and ends; it takes every answer. */
function streamSaying(chunks: readonly Uint8Array[]): { stream: Stream; say(): void } {
  const listeners: Record<string, ((event: { data: Uint8Array }) => void) | undefined> = {}
  const stream = {
    status: 'open',
    writeStatus: 'writable',
    readableEnded: false,
    addEventListener: (type: string, listener: (event: { data: Uint8Array }) => void) => {
      listeners[type] = listener
    },
    abort() {
      stream.status = 'aborted'
    },
  }
  return {
    stream: stream as unknown as Stream,
    say() {
      for (const data of chunks) if (stream.status === 'open') listeners['message']?.({ data })
      stream.readableEnded = true
      listeners['end']?.({ data: new Uint8Array(0) })
    },
  }
}

test(
  'no mutated conversation makes a stream of frames throw, hang or speak after bytes that are no frame',
  {
    timeout,
  },
  async () => {
    const conversation = Buffer.concat(framesOf().map(encodeFrame))
    const next = createMutations(5, [conversation])
    const { signal } = new AbortController()
    const results = { frames: 0, closed: 0, invalid: 0 }
    for (let input = 0; input < INPUTS; input += 1) {
      const bytes = next()
      const cut = input % (bytes.byteLength + 1)
      const speaker = streamSaying([bytes.subarray(0, cut), bytes.subarray(cut)])
      const frames = createFrameStream(speaker.stream, signal)
      speaker.say()
      for (let reads = 0; ; reads += 1) {
        if (reads > bytes.byteLength) throw new Error('more frames than bytes')
        const frame = await frames.read()
        if (typeof frame === 'string') {
          results[frame] += 1
          break
        }
        results.frames += 1
      }
      frames.abort('enough')
    }
    expect(results.closed + results.invalid).toBe(INPUTS)
    expect(Math.min(results.frames, results.closed, results.invalid)).toBeGreaterThan(1000)
  },
)

test('no mutated record makes the parser throw', { timeout }, () => {
  let records = 0
  const genuine = [recordOffering(owners[0]!.peerId, ['gpt2', 'llama3.2']), recordOffering(owners[1]!.peerId, [])]
  const encoded = genuine.map((record) => Buffer.from(encodeRecord(record)))
  feed(6, encoded, (bytes) => {
    if (decodeRecord(bytes) !== undefined) records += 1
  })
  expect(records).toBeGreaterThan(INPUTS / 100)
})

test(
  'no mutated status request or answer makes the parser throw or is taken for the peer’s',
  {
    timeout,
  },
  async () => {
    const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(3))
    const verifyKey = keys.get(privateKey.publicKey.raw)!.verifyKey()
    const row = owners[0]!.row()
    const answer = encodeStatusAnswer(
      { slotsTotal: 4, slotsFree: 1, queueLength: 2, paused: null, offers: 'abc', version: '1', timeMs: clock.now() },
      context,
      importPrivateKey(privateKey),
      row,
    )
    feed(7, [encodeStatusRequest({ nonce: context.nonce, wantsRow: true })], (bytes) => void decodeStatusRequest(bytes))

    const signedBytes = answer.byteLength - 2 - row.byteLength
    let complete = 0
    feed(8, [answer], (bytes) => {
      const parts = splitStatusAnswer(bytes)
      if (typeof parts !== 'object') return
      complete += 1
      parseStatus(parts.json)
      if (complete > VERIFIED) return
      const decoded = decodeStatusAnswer(bytes, context, verifyKey)
      // Behind the signature comes the row, which carries its own.
      if (typeof decoded === 'object') {
        expect(Buffer.compare(bytes.subarray(0, signedBytes), answer.subarray(0, signedBytes))).toBe(0)
      }
    })
    expect(complete).toBeGreaterThan(INPUTS / 10)

    const parts = splitStatusAnswer(answer)
    if (typeof parts !== 'object') throw new Error('the genuine answer is none')
    feed(9, [parts.json], (bytes) => void parseStatus(bytes))
  },
)

test(
  'no mutated table file makes the check of its checksums throw, and every flipped bit of its rows is seen',
  {
    timeout,
  },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ocf-fuzz-'))
    try {
      const level = new Level(folder, { compression: false })
      for (let row = 0; row < 8; row += 1) await level.put(`row-${String(row)}`, `value-${String(row)}`.repeat(3))
      await (level as unknown as { compactRange(from: string, to: string): Promise<void> }).compactRange('', '~')
      await level.close()
      const [name] = (await readdir(folder)).filter((file) => file.endsWith('.ldb'))
      const file = await readFile(join(folder, name ?? ''))
      expect(isTableFileSound(file)).toBe(true)
      feed(10, [file], (bytes) => void isTableFileSound(Uint8Array.from(bytes)))
      const rowsEnd = file.indexOf('row-7') + 10
      for (let bit = 0; bit < rowsEnd * 8; bit += 1) {
        file[bit >> 3]! ^= 1 << (bit & 7)
        expect(isTableFileSound(file)).toBe(false)
        file[bit >> 3]! ^= 1 << (bit & 7)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)

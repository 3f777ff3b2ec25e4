import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { emptyPeerRecord } from '#shared/records.js'
import { canonicalUpdate, clientIdOf, extractEnvelopes } from '../../../src-main/node-table/wire/canonical-update.js'
import {
  createEnvelopeSigner,
  isSignedByOwner,
  parseEnvelope,
  recordOf,
} from '../../../src-main/node-table/wire/envelope.js'
import { createKeyRing } from '../../../src-main/node-table/wire/key-ring.js'

// What docs/wire-protocols.md shows, read from there: once with nothing but what the page says, once by the code.

const page = readFileSync(new URL('../../../docs/wire-protocols.md', import.meta.url), 'utf8')
const [envelopeHex = '', updateHex = ''] = [...page.matchAll(/```hex\n([\s\S]*?)```/g)].map(([, hex]) => hex ?? '')
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex')
const envelope = bytesOf(envelopeHex)
const peerId = '12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB'
const update = Buffer.concat(
  updateHex.split('…envelope…').flatMap((part, index) => (index === 0 ? [bytesOf(part), envelope] : [bytesOf(part)])),
)

/** Rows of the table under a heading: the first two cells and the start of the third. */
function fieldsUnder(heading: string): { offset: number; bytes: number; name: string }[] {
  const [section = ''] = page.slice(page.indexOf(`### ${heading}`)).split('\n## ')
  return [...section.matchAll(/^\| (\d+) +\| (\d+|n) +\| (\w+)/gm)].map(([, offset, bytes, name]) => ({
    offset: Number(offset),
    bytes: bytes === 'n' ? envelope.byteLength - Number(offset) - 64 : Number(bytes),
    name: name ?? '',
  }))
}

test('the envelope on the page reads, by the page’s own table of fields, as the page says', () => {
  expect(page).toContain(`these ${String(envelope.byteLength)} bytes`)
  const fields = fieldsUnder('Envelope')
  expect(fields.map(({ name }) => name)).toEqual(['version', 'Ed25519', 'epoch', 'seq', 'lease', 'record'])
  const [version, key, epoch, seq, lease, record] = fields.map(({ offset, bytes }) =>
    envelope.subarray(offset, offset + bytes),
  )
  expect(version).toEqual(Buffer.from([1]))
  expect([epoch, seq, lease].map((number) => number?.readUInt32BE())).toEqual([20_000, 43_200_000, 600_000])
  expect(JSON.parse(record!.toString('utf8'))).toEqual({
    id: peerId,
    service: [{ name: 'llm', identity_group: ['model=gpt2'] }],
  })
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key!])
  const signed = Buffer.concat([Buffer.from('ocf-table-envelope-v1\0'), envelope.subarray(0, -64)])
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  expect(verify(null, signed, publicKey, envelope.subarray(-64))).toBe(true)
})

test('the code reads the envelope on the page, and signs the same bytes', async () => {
  const keys = createKeyRing()
  const parsed = parseEnvelope(envelope, keys)
  if (parsed.type !== 'envelope') throw new Error(`the page’s envelope is ${parsed.type}`)
  expect(parsed.envelope).toMatchObject({ peerId, epoch: 20_000, seq: 43_200_000, leaseMs: 600_000 })
  expect(isSignedByOwner(parsed.envelope, keys)).toBe(true)
  const record = recordOf(parsed.envelope)
  const empty = emptyPeerRecord(peerId)
  expect(record).toEqual({
    ...empty,
    service: [
      {
        ...{ name: 'llm', status: 'connected', host: '', port: '', hardware: empty.hardware },
        identity_group: ['model=gpt2'],
      },
    ],
  })
  if (typeof record !== 'object') return
  const seed = Uint8Array.from({ length: 32 }, (_, index) => index)
  const signer = createEnvelopeSigner(await generateKeyPairFromSeed('Ed25519', seed))
  expect(Buffer.from(signer.sign({ epoch: 20_000, seq: 43_200_000, leaseMs: 600_000, record }))).toEqual(envelope)
})

test('the canonical update on the page is the one of that row, for us and for stock Yjs', () => {
  const clientId = Number(createHash('sha256').update(`nt1|20000|${peerId}`).digest().readBigUInt64BE(0) >> 11n)
  expect(page).toContain(`client id ${String(clientId)}`)
  expect(clientIdOf(peerId, 20_000)).toBe(clientId)
  const entry = { peerId, epoch: 20_000, seq: 43_200_000, clientId, bytes: envelope }
  expect(Buffer.from(canonicalUpdate([entry]))).toEqual(update)
  expect(extractEnvelopes(update, update.byteLength)?.map((bytes) => Buffer.from(bytes))).toEqual([envelope])
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  expect(Buffer.from(doc.getMap('nodes').get(peerId) as Uint8Array)).toEqual(envelope)
})

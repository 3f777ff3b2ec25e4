import { sign } from 'node:crypto'
import { createPrivateKey } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { emptyPeerRecord } from '#shared/records.js'
import type { Envelope } from '../../../../src-main/node-table/wire/envelope.js'
import {
  createEnvelopeSigner,
  isSignedByOwner,
  parseEnvelope,
  recordOf,
} from '../../../../src-main/node-table/wire/envelope.js'
import { encodeRecord } from '../../../../src-main/node-table/wire/envelope.js'
import { createKeyRing } from '../../../../src-main/node-table/wire/key-ring.js'
import { createOwner, createRandom, mutate, recordOffering, TODAY } from '../../../fixtures/table-owners.js'
import type { Owner } from '../../../fixtures/table-owners.js'

const keys = createKeyRing()
let owner: Owner

beforeAll(async () => {
  owner = await createOwner(1)
})

function parsed(bytes: Uint8Array): Envelope {
  const result = parseEnvelope(bytes, keys)
  if (result.type !== 'envelope') throw new Error(result.type)
  return result.envelope
}

describe('an envelope', () => {
  test('carries its owner, logical time, lease and record', () => {
    const record = recordOffering(owner.peerId, ['gpt2', 'llama'])
    const envelope = parsed(owner.row({ epoch: TODAY, seq: 7, leaseMs: 1000, record }))
    expect(envelope).toMatchObject({ peerId: owner.peerId, epoch: TODAY, seq: 7, leaseMs: 1000 })
    expect(isSignedByOwner(envelope, keys)).toBe(true)
    expect(recordOf(envelope)).toEqual(record)
  })

  test('has the layout of docs/wire-protocols.md', () => {
    const bytes = Buffer.from(owner.row({ epoch: TODAY, seq: 258, leaseMs: 600_000 }))
    expect(bytes[0]).toBe(1)
    expect(bytes.subarray(1, 33)).toEqual(Buffer.from(owner.privateKey.publicKey.raw))
    expect(bytes.readUInt32BE(33)).toBe(TODAY)
    expect(bytes.readUInt32BE(37)).toBe(258)
    expect(bytes.readUInt32BE(41)).toBe(600_000)
    expect(JSON.parse(bytes.subarray(45, -64).toString('utf8'))).toMatchObject({ id: owner.peerId })
    const d = Buffer.from(owner.privateKey.raw.subarray(0, 32)).toString('base64url')
    const x = Buffer.from(owner.privateKey.publicKey.raw).toString('base64url')
    const key = createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d, x } })
    const signed = Buffer.concat([Buffer.from('ocf-table-envelope-v1\0'), bytes.subarray(0, -64)])
    expect(bytes.subarray(-64)).toEqual(sign(null, signed, key))
  })

  test('without a record is a withdrawal, and only with a lease of 0', () => {
    const withdrawal = owner.withdrawal()
    expect(withdrawal).toHaveLength(45 + 64)
    expect(recordOf(parsed(withdrawal))).toBe('withdrawn')
    const withLease = Uint8Array.from(withdrawal)
    withLease[44] = 1
    expect(parseEnvelope(withLease, keys).type).toBe('malformed')
  })

  test('is not its owner’s when the signature is over something else', () => {
    const bytes = owner.row()
    bytes[bytes.length - 1]! ^= 1
    expect(isSignedByOwner(parsed(bytes), keys)).toBe(false)
  })

  test('with the record of another peer has no record', async () => {
    const other = await createOwner(2)
    expect(recordOf(parsed(owner.row({ record: recordOffering(other.peerId, ['gpt2']) })))).toBeUndefined()
  })

  test('of a newer version is set aside, not held against its sender', () => {
    const bytes = owner.row()
    bytes[0] = 2
    expect(parseEnvelope(bytes, keys).type).toBe('newer-version')
  })

  test('above 4 KB is neither signed nor parsed', () => {
    const models = Array.from({ length: 100 }, (_, index) => `a-model-with-a-rather-long-name-${String(index)}`)
    const signer = createEnvelopeSigner(owner.privateKey)
    const record = recordOffering(owner.peerId, models)
    expect(() => signer.sign({ epoch: TODAY, seq: 1, leaseMs: 1, record })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
    expect(parseEnvelope(new Uint8Array(4097), keys).type).toBe('malformed')
  })

  test('stays small: fields that say nothing are left out', () => {
    expect(encodeRecord(emptyPeerRecord('x'))).toBe('{"id":"x"}')
  })

  test('is never taken for genuine after 20,000 mutations, and never makes the parser throw', () => {
    const random = createRandom(1)
    const genuine = owner.row()
    let wellFormed = 0
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = mutate(genuine, random)
      if (Buffer.compare(bytes, genuine) === 0) continue
      const result = parseEnvelope(bytes, keys)
      if (result.type !== 'envelope') continue
      wellFormed += 1
      if (wellFormed > 2000) continue
      expect(isSignedByOwner(result.envelope, keys)).toBe(false)
      recordOf(result.envelope)
    }
    expect(wellFormed).toBeGreaterThan(1000)
  })
})

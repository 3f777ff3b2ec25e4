import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  answerOf,
  challengeOf,
  hashesOf,
  helloOf,
  proofOf,
  readAnswer,
  readChallenge,
  readHello,
  readProof,
} from '../../../../src-main/people/invites/message.js'
import { readInvite, writeInvite } from '../../../../src-main/people/invites/text.js'

/** What version 1 wrote: never changed, as invites and programs of it are out there. */
const RECORDED = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', '..', 'fixtures', 'wire', 'invites-v1.json'), 'utf8'),
) as Record<string, string>
const of = (name: string): Buffer => Buffer.from(RECORDED[name] ?? '', 'hex')

const INVITER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const RELAY = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'
const GUEST = '12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba'
const bytes = (length: number, from: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (from + index) % 256)

const INVITE = {
  ...{ inviter: INVITER, name: 'Jörg', secret: bytes(16, 1), expiresAtMs: 1_800_000_000_000 },
  addresses: [
    '/ip4/203.0.113.7/tcp/43905',
    `/ip4/198.51.100.9/udp/59820/quic-v1/p2p/${RELAY}/p2p-circuit`,
    '/ip6/2001:db8::7/tcp/43906/ws',
  ],
  networkKey: bytes(32, 200),
}
const EXCHANGE = {
  ...{ id: of('id'), guest: GUEST, inviter: INVITER },
  ...{ guestNonce: bytes(32, 50), inviterNonce: bytes(32, 90) },
}
const KEY = RECORDED['key'] ?? ''

describe('invites of version 1', () => {
  test('are read as they were written', () => {
    expect(writeInvite(INVITE)).toBe(RECORDED['text'])
    const read = readInvite(RECORDED['text'] ?? '')
    const plain = (invite: typeof INVITE) => ({
      ...invite,
      ...{ secret: [...invite.secret], networkKey: [...invite.networkKey] },
    })
    expect('invite' in read && plain(read.invite as typeof INVITE)).toEqual(plain(INVITE))
  })

  test('are named and proved by the hashes of their secret', () => {
    expect(hashesOf(INVITE.secret)).toEqual({ id: RECORDED['id'], key: KEY })
  })

  test('are spoken of in the same frames', () => {
    const proof = { exchange: EXCHANGE, key: KEY, name: 'Ann' }
    expect(Buffer.from(helloOf(RECORDED['id'] ?? '', EXCHANGE.guestNonce)).toString('hex')).toBe(RECORDED['hello'])
    expect(Buffer.from(challengeOf(EXCHANGE.inviterNonce)).toString('hex')).toBe(RECORDED['challenge'])
    expect(Buffer.from(proofOf(EXCHANGE, KEY, 'Bob')).toString('hex')).toBe(RECORDED['proof'])
    expect(Buffer.from(answerOf('accepted', proof)).toString('hex')).toBe(RECORDED['accepted'])
    expect(Buffer.from(answerOf('revoked', { ...proof, name: '' })).toString('hex')).toBe(RECORDED['revoked'])
    expect(readHello(of('hello'))?.id.toString()).toBe(of('id').toString())
    expect(readChallenge(of('challenge'))).toHaveLength(32)
    expect(readProof(of('proof'), EXCHANGE, KEY)).toEqual({ name: 'Bob' })
    expect(readAnswer(of('accepted'), EXCHANGE, KEY)).toEqual({ answer: 'accepted', name: 'Ann' })
    expect(readAnswer(of('revoked'), EXCHANGE, KEY)).toEqual({ answer: 'revoked', name: '' })
  })

  test('are proved by no frame of which one byte is another, nor for another peer or nonce', () => {
    for (let index = 1; index < of('proof').length; index += 1) {
      const changed = of('proof')
      changed[index] = (changed[index] ?? 0) ^ 1
      expect(readProof(changed, EXCHANGE, KEY)).toBeUndefined()
      const answer = of('accepted')
      answer[index] = (answer[index] ?? 0) ^ 1
      expect(readAnswer(answer, EXCHANGE, KEY)?.answer).not.toBe('accepted')
    }
    for (const change of [
      { guest: RELAY },
      { inviter: RELAY },
      { guestNonce: bytes(32, 51) },
      { inviterNonce: bytes(32, 91) },
      { id: bytes(16, 0) },
    ]) {
      expect(readProof(of('proof'), { ...EXCHANGE, ...change }, KEY)).toBeUndefined()
      expect(readAnswer(of('accepted'), { ...EXCHANGE, ...change }, KEY)?.answer).toBe('refused')
    }
    // The guest's own proof is none of the inviter.
    expect(readAnswer(Buffer.concat([Buffer.from([4]), of('proof').subarray(1)]), EXCHANGE, KEY)?.answer).not.toBe(
      'accepted',
    )
  })
})

import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type Invite,
  inviteLink,
  MAX_INVITE_LENGTH,
  readInvite,
  writeInvite,
} from '../../../../src-main/people/invites/text.js'

let peers: string[] = []

beforeAll(async () => {
  peers = await Promise.all(
    [1, 2, 3].map(async (seed) =>
      peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed))).toString(),
    ),
  )
})

const ADDRESSES = [
  '/ip4/203.0.113.7/tcp/43905',
  '/ip4/203.0.113.7/udp/59820/quic-v1',
  '/ip6/2001:db8:1:2:3:4:5:6/udp/59820/quic-v1',
  '/ip4/192.168.1.20/tcp/43905',
  '/dns4/node.example.org/tcp/443/ws',
]
const relayed = (): string => `/ip4/198.51.100.9/tcp/43905/p2p/${peers[1]}/p2p-circuit`

const anyInvite = (): fc.Arbitrary<Invite> =>
  fc.record({
    inviter: fc.constant(peers[0]!),
    name: fc.constantFrom('', 'Ann', 'Jörg-Peter', '李小龍', 'a name that is quite long, of someone who has many'),
    secret: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    expiresAtMs: fc.integer({ min: 1, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
    addresses: fc.subarray([...ADDRESSES, relayed()], { maxLength: 4 }),
    networkKey: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
  })

function expectRead(text: string, invite: Invite): void {
  const read = readInvite(text)
  expect(read).not.toHaveProperty('problem')
  if ('problem' in read) return
  const { secret, networkKey, name, ...rest } = read.invite
  expect(Buffer.from(secret).equals(invite.secret)).toBe(true)
  expect(networkKey === undefined ? undefined : [...networkKey]).toEqual(
    invite.networkKey === undefined ? undefined : [...invite.networkKey],
  )
  expect(invite.name.startsWith(name)).toBe(true)
  const { secret: _, networkKey: __, name: ___, ...expected } = invite
  expect(rest).toEqual(expected)
}

describe('the text of an invite', () => {
  test('is one line of at most 500 characters that reads back as what was written', () => {
    fc.assert(
      fc.property(anyInvite(), (invite) => {
        const text = writeInvite(invite)
        expect(text).toMatch(/^ocf1[A-Za-z0-9_-]+$/)
        expect(text.length).toBeLessThanOrEqual(MAX_INVITE_LENGTH)
        expectRead(text, invite)
      }),
    )
  })

  test('stays within 500 characters with the longest of everything, and keeps the first addresses', () => {
    const longest = `/dns4/${'a'.repeat(60)}.${'b'.repeat(60)}.example.org/tcp/43905`
    const text = writeInvite({
      ...{ inviter: peers[0]!, name: '名'.repeat(64), secret: new Uint8Array(16), expiresAtMs: 4e12 },
      ...{ addresses: [ADDRESSES[0]!, longest, longest, relayed()], networkKey: new Uint8Array(32) },
    })
    expect(text.length).toBeLessThanOrEqual(MAX_INVITE_LENGTH)
    const read = readInvite(text)
    expect('invite' in read && read.invite.addresses[0]).toBe(ADDRESSES[0])
  })

  test('is recognised as a link, with other text around it, wrapped and quoted by mail programs, and pasted twice', () => {
    fc.assert(
      fc.property(anyInvite(), fc.integer({ min: 20, max: 90 }), (invite, width) => {
        const text = writeInvite(invite)
        const lines = text.match(new RegExp(`.{1,${width}}`, 'g'))!
        for (const pasted of [
          inviteLink(text),
          `Hi, this is it: "${text}". See you, Tom`,
          ` \t${text}\r\n`,
          lines.join('\n'),
          lines.map((line) => `> ${line}`).join('\r\n'),
          lines.map((line) => `>> > ${line} `).join('\n'),
          lines.join('=\r\n'),
          `On Monday Ann wrote:\n> ${lines.join('\n> ')}\n\nThanks!`,
          text + text,
          `${text}\n${inviteLink(text)}`,
          text.replaceAll(/./g, '$&\u200b'),
          text.replaceAll('-', '‑'),
          `<a href="${inviteLink(text)}">`,
        ]) {
          expectRead(pasted, invite)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('that is cut off at its end is told as such, wherever it was cut', () => {
    fc.assert(
      fc.property(anyInvite(), fc.nat(), (invite, at) => {
        const text = writeInvite(invite)
        const left = text.slice(0, 5 + (at % (text.length - 5)))
        expect(readInvite(left)).toEqual({ problem: 'cut-off' })
        expect(readInvite(inviteLink(left))).toEqual({ problem: 'cut-off' })
      }),
    )
  })

  test('with one character changed or left out is told as damaged or cut off, and never read', () => {
    fc.assert(
      fc.property(anyInvite(), fc.nat(), fc.constantFrom('A', 'b', '7', '_', ''), (invite, at, other) => {
        const text = writeInvite(invite)
        const index = 4 + (at % (text.length - 4))
        fc.pre(text[index] !== other)
        const changed = text.slice(0, index) + other + text.slice(index + 1)
        const read = readInvite(changed)
        // The last character may hold bits that say nothing.
        if (index === text.length - 1 && other !== '' && 'invite' in read) return
        expect('problem' in read && ['damaged', 'cut-off']).toContain('problem' in read && read.problem)
      }),
    )
  })

  test('two different invites in one text are told as such', () => {
    const write = (secret: number): string =>
      writeInvite({
        ...{ inviter: peers[0]!, name: '', secret: new Uint8Array(16).fill(secret), expiresAtMs: 1000 },
        ...{ addresses: [], networkKey: undefined },
      })
    expect(readInvite(`${write(1)} ${write(2)}`)).toEqual({ problem: 'several' })
    expect(readInvite(write(1) + write(2))).toEqual({ problem: 'several' })
    expect(readInvite(`${write(1)} ${write(2).slice(0, 40)}`)).toHaveProperty('invite')
  })

  test('any other text holds no invite, and a later version is told as such', () => {
    for (const text of ['', 'hello', 'ocf', 'ocf1', 'the ocf1 format', 'https://example.org/x', peers[0]!]) {
      expect(readInvite(text)).toEqual({ problem: 'no-invite' })
    }
    expect(readInvite(`ocf2${'A'.repeat(80)}`)).toEqual({ problem: 'newer-version' })
    fc.assert(fc.property(fc.string({ maxLength: 400 }), (text) => !('invite' in readInvite(text))))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(readInvite(`ocf1${Buffer.from(bytes).toString('base64url')}`)).toHaveProperty('problem')
      }),
    )
  })

  test('a text of twenty thousand characters full of beginnings is read in no time', () => {
    const startedAtMs = performance.now()
    expect(readInvite('ocf1A'.repeat(4_000))).toHaveProperty('problem')
    expect(performance.now() - startedAtMs).toBeLessThan(2_000)
  })
})

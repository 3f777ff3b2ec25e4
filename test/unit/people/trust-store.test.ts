import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type KeptInvite, TRUST_LIMITS } from '../../../src-main/people/kept.js'
import { TrustStore } from '../../../src-main/people/trust-store.js'
import { silentLog } from '../../fixtures/hosts.js'

const id = (tail: string): string => `12D3KooW${tail.padEnd(44, 'x')}`
const [ANN, BOB, CAT] = [id('Ann'), id('Bob'), id('Cat')] as [string, string, string]
const DAY_MS = 86_400_000

let dir: string
let nowMs: number
let named: string[]
const file = (): string => join(dir, 'trust.json')

async function opened(): Promise<TrustStore> {
  const store = new TrustStore(
    { clock: { now: () => nowMs }, log: silentLog, inSettings: () => named },
    { file: file() },
  )
  await store.load()
  return store
}

const inviteWith = (change: Partial<KeptInvite> = {}): KeptInvite => ({
  ...{ id: 'a'.repeat(32), key: 'b'.repeat(64), uses: 1, usesLeft: 1, usedBy: [] },
  ...{ madeAtMs: nowMs, expiresAtMs: nowMs + DAY_MS },
  ...change,
})

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  nowMs = 1_800_000_000_000
  named = []
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('whom a node trusts', () => {
  test('is kept across restarts, readable by its owner alone', async () => {
    const store = await opened()
    await store.trust({ peerId: ANN, trustedBy: 'hand', givenName: 'Ann' })
    expect((await stat(file())).mode & 0o777).toBe(0o600)
    const again = await opened()
    expect(again.isTrusted(ANN)).toBe(true)
    expect(again.isTrusted(BOB)).toBe(false)
    expect(again.people()).toEqual([
      { peerId: ANN, trustedBy: 'hand', trustedAtMs: nowMs, givenName: 'Ann', addresses: [] },
    ])
  })

  test('is not changed by what can not be stored', async () => {
    const store = await opened()
    await mkdir(file())
    await expect(store.trust({ peerId: ANN, trustedBy: 'hand' })).rejects.toMatchObject({ code: 'data_dir_unusable' })
    expect(store.isTrusted(ANN)).toBe(false)
    await expect(store.addInvite(inviteWith())).rejects.toMatchObject({ code: 'data_dir_unusable' })
    expect(store.invites()).toEqual([])
  })

  test('ends at once when it is taken back, also where that can not be stored', async () => {
    const store = await opened()
    await store.trust({ peerId: ANN, trustedBy: 'hand' })
    const heard: string[] = []
    store.onTrustChanged((peerId) => heard.push(`${peerId} ${store.isTrusted(peerId)}`))
    await rm(file())
    await mkdir(file())
    await expect(store.untrust(ANN)).rejects.toMatchObject({ code: 'data_dir_unusable' })
    expect(store.isTrusted(ANN)).toBe(false)
    expect(heard).toEqual([`${ANN} false`])
  })

  test('is not given back by a change that was being written when it was taken back', async () => {
    const store = await opened()
    await store.trust({ peerId: ANN, trustedBy: 'hand' })
    const renamed = store.rename(ANN, 'Annie')
    await Promise.resolve()
    const untrusted = store.untrust(ANN)
    await Promise.all([renamed, untrusted])
    expect(store.isTrusted(ANN)).toBe(false)
    expect((await opened()).isTrusted(ANN)).toBe(false)
  })

  test('holds what the settings name, which only the settings take back', async () => {
    named = [BOB]
    const store = await opened()
    expect(store.isTrusted(BOB)).toBe(true)
    expect(store.people().map(({ peerId, trustedBy }) => [peerId, trustedBy])).toEqual([[BOB, 'settings']])
    await expect(store.untrust(BOB)).rejects.toMatchObject({ code: 'not_found' })
    await store.rename(BOB, 'Robert')
    const heard: string[] = []
    store.onTrustChanged((peerId) => heard.push(peerId))
    named = []
    store.settingsChanged([BOB])
    expect(store.isTrusted(BOB)).toBe(false)
    expect(store.people()).toEqual([])
    expect(heard).toEqual([BOB])
  })

  test('survives odd entries, and a file that can not be understood is put aside', async () => {
    const store = await opened()
    await store.trust({ peerId: ANN, trustedBy: 'hand' })
    const content = JSON.parse(await readFile(file(), 'utf8')) as { people: unknown[] }
    content.people.push({ peerId: 'nobody' }, 7)
    await writeFile(file(), JSON.stringify(content))
    expect((await opened()).people().map(({ peerId }) => peerId)).toEqual([ANN])
    await writeFile(file(), '{"format": 1, "people": [')
    const damaged = await opened()
    expect(damaged.people()).toEqual([])
    expect(await readdir(dir)).toEqual(['trust.json'])
    await damaged.trust({ peerId: BOB, trustedBy: 'hand' })
    expect((await readdir(dir)).sort()).toEqual(['trust.json', 'trust.json.damaged'])
  })

  test('is a thousand peers at most', async () => {
    const people = Array.from({ length: TRUST_LIMITS.people }, (_, index) => ({
      ...{ peerId: id(`P${String(index).replaceAll('0', 'z')}`), trustedBy: 'hand', trustedAtMs: 1, addresses: [] },
    }))
    await writeFile(file(), JSON.stringify({ format: 1, people, invites: [] }))
    const store = await opened()
    await expect(store.trust({ peerId: ANN, trustedBy: 'hand' })).rejects.toMatchObject({ code: 'invalid_request' })
    await store.addInvite(inviteWith())
    expect(await store.redeem('a'.repeat(32), { peerId: ANN, name: '' })).toBe('full')
    expect(store.invite('a'.repeat(32))?.usesLeft).toBe(1)
  })
})

describe('an invite', () => {
  test('lets one guest in once it is stored, and the same guest again where the answer was lost', async () => {
    const store = await opened()
    const { id: invite } = await store.addInvite(inviteWith({ name: 'Ann' }))
    expect(await store.redeem(invite, { peerId: ANN, name: 'annie\u202e' })).toBe('accepted')
    const again = await opened()
    expect(again.person(ANN)).toMatchObject({
      trustedBy: 'invited',
      ownName: 'annie',
      givenName: 'Ann',
      inviteId: invite,
    })
    expect(again.invite(invite)).toMatchObject({ usesLeft: 0, usedBy: [ANN] })
    expect(await again.redeem(invite, { peerId: ANN, name: '' })).toBe('already')
    expect(await again.redeem(invite, { peerId: BOB, name: '' })).toBe('used')
    expect(again.isTrusted(BOB)).toBe(false)
  })

  test('for one guest lets only one of two in that come at the same moment', async () => {
    const store = await opened()
    const { id: invite } = await store.addInvite(inviteWith())
    const came = await Promise.all([ANN, BOB, CAT].map((peerId) => store.redeem(invite, { peerId, name: '' })))
    expect(came.sort()).toEqual(['accepted', 'used', 'used'])
    expect(store.people()).toHaveLength(1)
  })

  test('lets nobody in when it is expired, revoked or unknown, and says which only of those it knows', async () => {
    const store = await opened()
    const { id: invite } = await store.addInvite(inviteWith())
    expect(await store.redeem('c'.repeat(32), { peerId: ANN, name: '' })).toBe('refused')
    nowMs += DAY_MS
    expect(await store.redeem(invite, { peerId: ANN, name: '' })).toBe('expired')
    await store.revokeInvite(invite)
    expect(await store.redeem(invite, { peerId: ANN, name: '' })).toBe('revoked')
    expect(store.people()).toEqual([])
  })

  test('does not let a guest back in that was removed, though others may still come with it', async () => {
    const store = await opened()
    const { id: invite } = await store.addInvite(inviteWith({ uses: 3, usesLeft: 3 }))
    expect(await store.redeem(invite, { peerId: ANN, name: '' })).toBe('accepted')
    await store.untrust(ANN)
    expect(await store.redeem(invite, { peerId: ANN, name: '' })).toBe('refused')
    expect(await store.redeem(invite, { peerId: BOB, name: '' })).toBe('accepted')
    expect(store.invite(invite)?.usesLeft).toBe(1)
  })

  test('that is revoked while a guest is being written down stays revoked', async () => {
    const store = await opened()
    const { id: invite } = await store.addInvite(inviteWith({ uses: 2, usesLeft: 2 }))
    const coming = store.redeem(invite, { peerId: ANN, name: '' })
    await Promise.resolve()
    await store.revokeInvite(invite)
    expect(await coming).toBe('accepted')
    expect(await store.redeem(invite, { peerId: BOB, name: '' })).toBe('revoked')
    expect(await (await opened()).redeem(invite, { peerId: BOB, name: '' })).toBe('revoked')
  })

  test('is one of a hundred open ones at most; those that are over make room', async () => {
    const store = await opened()
    const hex = (index: number): string => index.toString(16).padStart(32, '0')
    for (let index = 0; index < TRUST_LIMITS.invites; index += 1) await store.addInvite(inviteWith({ id: hex(index) }))
    await expect(store.addInvite(inviteWith({ id: hex(500) }))).rejects.toMatchObject({ code: 'invalid_request' })
    await store.revokeInvite(hex(0))
    await store.addInvite(inviteWith({ id: hex(500) }))
    expect(store.invites()).toHaveLength(TRUST_LIMITS.invites + 1)
  })
})

test('what is only noted is written when the node stops', async () => {
  const store = await opened()
  await store.trust({ peerId: ANN, trustedBy: 'hand' })
  store.note(ANN, { lastSeenMs: 5, addresses: [{ address: '/ip4/192.0.2.1/tcp/1', proven: true }] })
  store.note(BOB, { lastSeenMs: 5 })
  await store.close()
  expect((await opened()).people()).toMatchObject([{ peerId: ANN, lastSeenMs: 5, addresses: [{ proven: true }] }])
})

test('an invite that waits for a restart is kept until it is dealt with', async () => {
  const store = await opened()
  await store.setPending({ text: 'ocf1', sinceMs: 1 })
  const again = await opened()
  expect(again.pending).toEqual({ text: 'ocf1', sinceMs: 1 })
  await again.setPending(undefined)
  expect((await opened()).pending).toBeUndefined()
})

describe('people in a backup', () => {
  test('are trusted again where they are restored, and those that are there stay as they are', async () => {
    const store = await opened()
    named = [CAT]
    await store.trust({ peerId: ANN, trustedBy: 'hand', givenName: 'Ann' })
    await store.trust({ peerId: BOB, trustedBy: 'code', ownName: 'Bob' })
    await store.rename(CAT, 'Cat')
    const text = JSON.stringify({ people: [...store.backup(), { peerId: 'nobody' }, 7] })
    expect(store.backup().map(({ peerId }) => peerId)).toEqual([ANN, BOB])
    await store.untrust(BOB)
    await store.rename(ANN, 'Annie')
    const heard: string[] = []
    store.onTrustChanged((peerId) => heard.push(peerId))
    expect(await store.restore(text)).toBe(1)
    expect(heard).toEqual([BOB])
    const again = await opened()
    expect(again.person(BOB)).toMatchObject({ ownName: 'Bob', trustedBy: 'code' })
    expect(again.person(ANN)?.givenName).toBe('Annie')
  })

  test('are none where the text is something else', async () => {
    const store = await opened()
    for (const text of ['', '{', '[]', '{"people": 7}']) expect(await store.restore(text)).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import type { CallName } from '#shared/contract/index.js'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

const PEER = '12D3KooWGzBZZbLs1hJ2DL4J4yY2YVh9vH2cVYpPZ2UVsWjXGn3K'
const OTHER = '12D3KooWGzBZZbLs1hJ2DL4J4yY2YVh9vH2cVYpPZ2UVsWjXGn4L'
const ann = {
  ...{ peerId: PEER, label: 'Ann', givenName: null, ownName: 'Ann', trustedBy: 'accepted', revocable: true },
  ...{ trustedAtMs: 1, inviteId: null, connected: true, lastSeenMs: null },
}
const invite = {
  ...{ id: 'a1b2c3d4e5f6a7b8', name: 'Tom', state: 'open', uses: 1, usesLeft: 1, usedBy: [] },
  ...{ madeAtMs: 1_700_000_000_000, expiresAtMs: 1_700_600_000_000 },
}
const made = { invite, text: 'ocf1abc', link: 'ocf://join/ocf1abc', reach: 'anywhere' }

/** The command line, with what it asked the node. */
function asked(answers: Partial<Record<CallName, unknown>>) {
  const calls: [string, unknown][] = []
  const shell = cli({ answers })
  const { call } = shell.client
  shell.client.call = (name, input) => {
    calls.push([name, input])
    return call(name, input)
  }
  return { ...shell, calls }
}

describe('ocf invite', () => {
  it('ocf invite prints the invite alone on standard output, and beside it until when and how to take it back', async () => {
    const { run, output, errors, calls } = asked({ 'people.invite': made })
    expect(await run('invite', '--name', 'Tom', '--uses', '3', '--for', '12h')).toBe(EXIT.ok)
    expect(output()).toBe('ocf1abc\n')
    expect(errors()).toContain('until 2023-11-21 20:53 UTC')
    expect(errors()).toContain('ocf invite --revoke a1b2c3d4')
    expect(errors()).not.toContain('ocf1abc')
    expect(calls).toEqual([['people.invite', { name: 'Tom', uses: 3, forMs: 43_200_000 }]])
  })

  it('ocf invite says from where it can be used, where that is not everywhere', async () => {
    const { run, errors } = asked({ 'people.invite': { ...made, reach: 'lan' } })
    await run('invite')
    expect(errors()).toContain('only works there')
  })

  it.each([
    [['--uses', '0'], '--uses'],
    [['--uses', '101'], '--uses'],
    [['--uses', '1.5'], '--uses'],
    [['--for', '7'], '--for'],
    [['--for', '0d'], '--for'],
    [['--for', '366d'], '--for'],
    [['--name'], '--name'],
  ])('ocf invite refuses %j', async (words, flag) => {
    const { run, errors, calls } = asked({})
    expect(await run('invite', ...words)).toBe(EXIT.usage)
    expect(errors()).toContain(`flag ${flag}`)
    expect(calls).toEqual([])
  })

  it('ocf invite --list shows whose they are and how they stand, --revoke takes one back', async () => {
    const { run, output } = asked({
      'people.invites': [invite],
      'people.revokeInvite': { revoked: { ...invite, usedBy: [PEER] } },
    })
    await run('invite', '--list')
    expect(output()).toMatch(/a1b2c3d4 +Tom +open +0 of 1 +2023-11-21/)
    await run('invite', '--revoke', 'a1b2c3d4')
    expect(output()).toContain(
      'The invite a1b2c3d4 for Tom is refused from now on. 1 peer that came with it stays trusted.',
    )
  })
})

describe('ocf join', () => {
  const readable = { invite: { inviter: PEER, name: 'Ann' }, problem: null, sentence: null, canSwitch: false }

  it('ocf join takes an invite that was pasted over several words', async () => {
    const { run, output, calls } = asked({
      'people.readInvite': readable,
      'people.join': { outcome: 'joined', sentence: 'You and Ann trust each other now.', peerId: PEER },
    })
    expect(await run('join', 'ocf1AAAA', 'BBBB')).toBe(EXIT.ok)
    expect(output()).toBe('You and Ann trust each other now.\n')
    expect(calls.at(-1)).toEqual(['people.join', { text: 'ocf1AAAA\nBBBB', switchNetwork: false }])
  })

  it('ocf join says what went wrong, and how to go over into another network', async () => {
    const { run, errors } = asked({
      'people.readInvite': { ...readable, problem: 'other-network', canSwitch: true },
      'people.join': { outcome: 'other-network', sentence: 'It leads into another network.', peerId: PEER },
    })
    expect(await run('join', 'ocf://join/ocf1AAAA')).toBe(EXIT.failed)
    expect(errors()).toContain('It leads into another network. With --switch-network')
  })

  it('ocf join says what can be joined where it recognises nothing', async () => {
    const { run, errors, calls } = asked({})
    expect(await run('join', 'whatever')).toBe(EXIT.usage)
    expect(await run('join')).toBe(EXIT.usage)
    expect(errors()).toContain('an invite (ocf1…)')
    expect(calls).toEqual([])
  })
})

describe('ocf people, trust, untrust and name', () => {
  it('ocf people lists whom one trusts, and why', async () => {
    const { run, output } = asked({ 'people.list': [ann] })
    await run('people')
    expect(output()).toMatch(/Ann +12D3KooW\S+ +invited you +connected/)
  })

  it('ocf trust takes a peer id and a name', async () => {
    const { run, calls } = asked({ 'people.trust': { person: ann } })
    expect(await run('trust', PEER, '--name', 'Ann')).toBe(EXIT.ok)
    expect(calls).toEqual([['people.trust', { peer: PEER, name: 'Ann' }]])
  })

  it.each(['Ann', 'ann', PEER, 'WjXGn3K', '…jXGn3K'])('ocf untrust finds a peer given as %s', async (who) => {
    const { run, errors, calls } = asked({
      'people.list': [ann],
      'people.untrust': { untrusted: ann, openInviteId: invite.id },
    })
    expect(await run('untrust', who)).toBe(EXIT.ok)
    expect(calls.at(-1)).toEqual(['people.untrust', { peer: PEER }])
    expect(errors()).toContain('ocf invite --revoke a1b2c3d4')
  })

  it('ocf untrust removes nobody where a name is unknown, or that of two', async () => {
    const { run, errors, calls } = asked({ 'people.list': [ann, { ...ann, peerId: OTHER }] })
    expect(await run('untrust', 'Ann')).toBe(EXIT.failed)
    expect(errors()).toContain('More than one is called "Ann"')
    expect(await run('untrust', 'Bob')).toBe(EXIT.failed)
    expect(calls.map(([name]) => name)).toEqual(['people.list', 'people.list'])
  })

  it('ocf name shows and changes what this node is called, and what a peer is called here', async () => {
    const { run, output, calls } = asked({
      'people.ownName': { name: 'tom', isDefault: true, editable: true },
      'people.setOwnName': { name: '', isDefault: false, editable: true },
      'people.list': [ann],
      'people.rename': { person: ann },
    })
    await run('name')
    await run('name', '')
    await run('name', PEER)
    await run('name', PEER, 'Ann')
    expect(output().split('\n')).toEqual([
      'tom',
      'This node tells no name.',
      'Ann; it calls itself Ann.',
      `${PEER} is shown as Ann.`,
      '',
    ])
    expect(calls).toContainEqual(['people.setOwnName', { name: '' }])
    expect(calls).toContainEqual(['people.rename', { peer: PEER, name: 'Ann' }])
  })
})

import { describe, expect, it, vi } from 'vitest'
import type { CallName } from '#shared/contract/index.js'
import { dayTimeText } from '#shared/figures.js'
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
function asked(answers: Partial<Record<CallName, unknown>>, world: Parameters<typeof cli>[0] = {}) {
  const calls: [string, unknown][] = []
  const shell = cli({ answers, ...world })
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
    expect(errors()).toContain(`until ${dayTimeText(invite.expiresAtMs)},`)
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
  const joined = { kind: 'invite', state: 'joined', sentence: 'You and Ann trust each other now.', canSwitch: false }

  it('ocf join takes an invite that was pasted over several words', async () => {
    const { run, output, calls } = asked({ 'network.join': { ...joined, peerId: PEER } })
    expect(await run('join', 'ocf1AAAA', 'BBBB')).toBe(EXIT.ok)
    expect(output()).toBe('You and Ann trust each other now.\n')
    expect(calls).toEqual([['network.join', { text: 'ocf1AAAA\nBBBB', switchNetwork: false }]])
  })

  it.each([[[]], [['-']]])('ocf join %j asks for what is not to stand among the arguments', async (words) => {
    const { run, errors, calls } = asked({ 'network.join': { ...joined, peerId: PEER } }, { pasted: 'ocf1AAAA\n' })
    expect(await run('join', ...words)).toBe(EXIT.ok)
    expect(errors()).toContain('it is not shown')
    expect(calls).toEqual([['network.join', { text: 'ocf1AAAA\n', switchNetwork: false }]])
  })

  it('ocf join asks nothing of the node where the person gives up', async () => {
    const { run, calls } = asked({})
    expect(await run('join')).toBe(EXIT.interrupted)
    expect(calls).toEqual([])
  })

  it('ocf join --file takes what a file holds, and says what is wrong with it', async () => {
    const files = { '/cwd/mail.txt': 'Hello Bob!\nocf1AAAA\n' }
    const { run, errors, calls } = asked({ 'network.join': { ...joined, peerId: PEER } }, { files })
    expect(await run('join', '--file', 'mail.txt')).toBe(EXIT.ok)
    expect(calls).toEqual([['network.join', { text: 'Hello Bob!\nocf1AAAA\n', switchNetwork: false }]])
    expect(await run('join', '--file', 'none.txt')).toBe(EXIT.usage)
    expect(await run('join', '--file', 'mail.txt', 'host')).toBe(EXIT.usage)
    expect(await run('join', '--file')).toBe(EXIT.usage)
    expect(errors()).toMatch(/There is no file \/cwd\/none\.txt[^]*Say what to join, or --file[^]*flag --file/)
    expect(calls).toHaveLength(1)
  })

  it('ocf join says what went wrong, and how to go over into another network', async () => {
    const failed = { ...joined, state: 'failed', sentence: 'It leads into another network.', canSwitch: true }
    const { run, errors } = asked({ 'network.join': failed })
    expect(await run('join', 'ocf://join/ocf1AAAA')).toBe(EXIT.failed)
    expect(errors()).toBe('error: It leads into another network. With --yes it restarts into that network.\n')
  })

  it('ocf join ends as a slip on the command line where nothing was recognised', async () => {
    const unknown = { ...joined, kind: 'unknown', state: 'failed', sentence: 'It takes an invite (ocf1…).' }
    const { run, errors } = asked({ 'network.join': unknown })
    expect(await run('join', 'what', 'ever')).toBe(EXIT.usage)
    expect(errors()).toContain('an invite (ocf1…)')
  })

  it('ocf join --yes says how to restart a node whose program can’t do that', async () => {
    const { run, output, calls } = asked({
      'network.join': { ...joined, state: 'restart-needed', sentence: 'Restart this node.', peerId: PEER },
      'node.status': { startedAtMs: 1 },
      'node.restart': { restarting: false },
    })
    expect(await run('join', '--yes', 'ocf1AAAA')).toBe(EXIT.ok)
    expect(output()).toBe('Restart this node.\n')
    expect(calls[0]).toEqual(['network.join', { text: 'ocf1AAAA', switchNetwork: true }])
  })

  it('ocf join says that it is at work when that takes more than a second', async () => {
    const { run, errors, client } = asked({})
    client.call = (async () => {
      await vi.waitFor(() => expect(errors()).toContain('1 s'), { timeout: 20_000 })
      return { ...joined, peerId: PEER }
    }) as typeof client.call
    expect(await run('join', 'ocf1AAAA')).toBe(EXIT.ok)
    expect(errors()).toBe('Joining … 1 s\n')
  })
})

describe('odd names on the command line', () => {
  const ODD = '\u001b[31mAnn\u001b]0;x\u0007\u202egpj\r\nroot#'

  it('no name that ocf people, trust, untrust, invite or join prints moves the cursor or turns the text', async () => {
    const odd = { ...ann, label: ODD, ownName: ODD }
    const { run, output, errors } = asked({
      'people.list': [odd],
      'people.trust': { person: odd },
      'people.untrust': { untrusted: odd, openInviteId: null },
      'people.invite': { ...made, invite: { ...invite, name: ODD } },
      'people.invites': [{ ...invite, name: ODD }],
      'people.revokeInvite': { revoked: { ...invite, name: ODD } },
      'people.rename': { person: odd },
      'network.join': {
        ...{ kind: 'invite', state: 'joined', canSwitch: false, peerId: PEER },
        sentence: `You and ${ODD} trust each other now.`,
      },
    })
    for (const words of [
      ['people'],
      ['trust', PEER],
      ['untrust', PEER],
      ['invite'],
      ['invite', '--list'],
      ['invite', '--revoke', 'a1b2c3d4'],
      ['join', 'ocf1AAAA'],
    ])
      expect([words, await run(...words)]).toEqual([words, EXIT.ok])
    const lines = `${output()}${errors()}`.split('\n')
    expect(lines.filter((line) => line.includes('Ann'))).toHaveLength(6)
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]|^root#/u)
  })
})

describe('ocf network', () => {
  const open = {
    ...{ privateName: null, nextPrivateName: null, known: null, joined: ['/ip4/192.0.2.7/tcp/1'], canSwitch: true },
    ...{
      choices: [{ name: 'opentela', title: 'OpenTela', kind: 'go', runBy: 'R', meaning: 'M' }],
      canRestart: true,
    },
  }

  it('ocf network shows where the node is, what it joined and what it could', async () => {
    const { run, output } = asked({ 'network.get': open })
    expect(await run('network')).toBe(EXIT.ok)
    expect(output()).toContain('This node is in the open network.')
    expect(output()).toContain('  /ip4/192.0.2.7/tcp/1\n')
    expect(output()).toContain('  opentela  OpenTela, run by R. M')
  })

  it('ocf network create founds one and says that it takes a restart', async () => {
    const { run, output, errors, calls } = asked({
      'network.create': { sentence: 'Founded.', restartNeeded: true },
    })
    expect(await run('network', 'create', 'lab')).toBe(EXIT.ok)
    expect([output(), errors()]).toEqual(['Founded.\n', 'With --yes it restarts at once.\n'])
    expect(calls).toEqual([['network.create', { name: 'lab' }]])
  })

  it.each([
    [['leave', '10.0.0.5'], { what: '10.0.0.5' }],
    [['leave'], {}],
    [['network', 'none'], {}],
    [['network', 'leave', 'lab'], { what: 'lab' }],
  ])('ocf %j leaves', async (words, input) => {
    const { run, calls } = asked({ 'network.leave': { sentence: 'Left.', restartNeeded: false } })
    expect(await run(...words)).toBe(EXIT.ok)
    expect(calls).toEqual([['network.leave', input]])
  })

  it('ocf network refuses what it does not know', async () => {
    const { run, errors } = asked({})
    expect(await run('network', 'dance')).toBe(EXIT.usage)
    expect(errors()).toContain('create NAME')
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
      'This node sends no name.',
      'Ann; it calls itself Ann.',
      `${PEER} is shown as Ann.`,
      '',
    ])
    expect(calls).toContainEqual(['people.setOwnName', { name: '' }])
    expect(calls).toContainEqual(['people.rename', { peer: PEER, name: 'Ann' }])
  })
})

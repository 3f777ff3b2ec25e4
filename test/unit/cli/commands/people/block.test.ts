import { expect, test } from 'vitest'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { createFakeSharing } from '../../../../contract/fake-sharing.js'
import { cli } from '../../cli-fixture.js'

const ANN = '12D3KooWGzBZZbLs1hJ2DL4J4yY2YVh9vH2cVYpPZ2UVsWjXGn3K'
const BOB = '12D3KooWGzBZZbLs1hJ2DL4J4yY2YVh9vH2cVYpPZ2UVsWjXGn4L'

/** A node at which some are blocked; what it was asked to save. */
function nodeThatBlocks(...blockedPeers: string[]) {
  const usage = createFakeSharing().admission.usage()
  const saved: unknown[] = []
  const answers = {
    'limits.get': { ...usage, consumers: [], limits: { ...usage.limits, blockedPeers } },
    'limits.set': (changes: unknown) => {
      saved.push(changes)
      return { restartNeeded: false }
    },
    'people.list': [{ peerId: ANN, label: 'Ann' }],
    'peers.list': [{ peerId: BOB }],
  }
  return { ...cli({ answers }), saved }
}

test.each([
  ['its id', BOB, BOB, '…jXGn4L'],
  ['the end of it', '…jXGn4L', BOB, '…jXGn4L'],
  ['its name', 'ann', ANN, 'Ann'],
])('ocf block refuses a peer by %s from now on', async (_by, given, peerId, label) => {
  const { run, output, saved } = nodeThatBlocks('other')
  expect(await run('block', given)).toBe(EXIT.ok)
  expect(saved).toEqual([{ blockedPeers: ['other', peerId] }])
  expect(output()).toBe(
    `${label} is blocked: this node refuses what it asks. \`ocf unblock ${peerId}\` takes that back.\n`,
  )
})

test('ocf block lists those that are blocked, by name where they have one', async () => {
  const { run, output } = nodeThatBlocks(ANN, BOB)
  await run('block')
  expect(output()).toBe(`Ann ${ANN}\n${BOB}\n`)
  const none = nodeThatBlocks()
  await none.run('block')
  expect(none.output()).toBe('No peer is blocked.\n')
})

test('ocf unblock lets a peer in again, also one that is not in sight', async () => {
  const gone = '12D3KooWGzBZZbLs1hJ2DL4J4yY2YVh9vH2cVYpPZ2UVsWjXGone'
  const { run, output, saved } = nodeThatBlocks(ANN, gone)
  expect(await run('unblock', 'jXGone')).toBe(EXIT.ok)
  expect(saved).toEqual([{ blockedPeers: [ANN] }])
  expect(output()).toBe('…jXGone is no longer blocked.\n')
})

test('a peer that no one knows, one that is blocked already and one that is not are told apart', async () => {
  const { run, output, errors, saved } = nodeThatBlocks(ANN)
  expect(await run('block', 'nobody')).toBe(EXIT.failed)
  expect(errors()).toContain('No peer is "nobody".')
  expect(await run('block', 'Ann')).toBe(EXIT.ok)
  expect(output()).toBe('Ann is blocked already.\n')
  expect(await run('unblock', BOB)).toBe(EXIT.failed)
  expect(errors()).toContain('is not blocked')
  expect(saved).toEqual([])
})

test('ocf block says where the change has to wait for a start', async () => {
  const { client, run, errors } = nodeThatBlocks()
  const { call } = client
  client.call = (name, input) =>
    name === 'limits.set' ? (Promise.resolve({ restartNeeded: true }) as never) : call(name, input)
  await run('block', BOB)
  expect(errors()).toContain('A flag or an environment variable sets limits.block-peers')
})

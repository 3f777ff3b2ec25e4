import type { Connection, Libp2p, Transport, Upgrader } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { expect, test, vi } from 'vitest'
import { DialGuard } from '../../../../src-main/p2p/dial/dial-guard.js'
import { StrangerNames } from '../../../../src-main/p2p/dial/stranger-names.js'
import { UnprovenAddresses } from '../../../../src-main/p2p/dial/unproven-addresses.js'

const PEER = '12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM'
const OTHER = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'
const at = (address: string, peerId = PEER): string => `${address}/p2p/${peerId}`

type Dial = (address: Multiaddr, options: { upgrader: Upgrader }) => Promise<unknown>

/** A guard of a node in 192.168.1.0/24, and a transport behind it. */
function guardOver(
  dial: Dial = () => Promise.resolve({}),
  options: { isWide?: boolean; resolve?: (name: string) => Promise<string[]> } = {},
) {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  const events = new EventTarget()
  const guard = new DialGuard(
    {
      isNear: (host) => host.startsWith('192.168.1.'),
      unproven: new UnprovenAddresses(clock),
      names: new StrangerNames(options.resolve ?? (() => Promise.resolve([])), clock),
    },
    { isWide: options.isWide ?? true },
  )
  guard.watch(events as unknown as Libp2p)
  const dialled = vi.fn(dial)
  const transport = guard.guarded(() => ({ dial: dialled }) as unknown as Transport)({})
  const upgrader = { upgradeOutbound: () => Promise.reject(new Error('no Noise there')) } as unknown as Upgrader
  return {
    clock,
    guard,
    addresses: () => dialled.mock.calls.map(([address]) => address.toString()),
    tryIt: (address: string, over: object = {}): Promise<unknown> =>
      transport
        .dial(multiaddr(address), { signal: new AbortController().signal, upgrader, ...over } as never)
        .catch((error: unknown) => error),
    meet: (remoteAddr: string, peerId = PEER, limits?: object): void => {
      const detail = { remoteAddr: multiaddr(remoteAddr), remotePeer: peerId, limits } as unknown as Connection
      events.dispatchEvent(new CustomEvent('connection:open', { detail }))
    },
    lose: (peerId: string) => events.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peerId })),
  }
}

const LOOPBACK = at('/ip4/127.0.0.1/tcp/43905')

test('a node that others can reach dials no loopback address before it has met anybody on its machine', () => {
  const { guard, meet } = guardOver()
  expect(guard.whyNot(LOOPBACK)).toBeDefined()
  meet('/ip4/127.0.0.1/tcp/50000', OTHER)
  expect(guard.whyNot(LOOPBACK)).toBeUndefined()
})

test('a node that has met a peer beyond its machine dials loopback addresses only of those it met there', () => {
  const { guard, meet } = guardOver()
  meet('/ip4/127.0.0.1/tcp/50000', OTHER)
  meet('/ip4/5.0.0.1/tcp/43905', PEER)
  expect(guard.whyNot(LOOPBACK)).toBeDefined()
  expect(guard.whyNot(at('/ip4/127.0.0.1/tcp/43999', OTHER))).toBeUndefined()
})

test('a node that listens on loopback alone is in a network of its machine until it meets a peer beyond', () => {
  const { guard, meet } = guardOver(undefined, { isWide: false })
  expect(guard.whyNot(LOOPBACK)).toBeUndefined()
  meet('/ip4/192.168.1.9/tcp/43905', OTHER)
  expect(guard.whyNot(LOOPBACK)).toBeDefined()
})

test('a peer that is met over a relay has been met nowhere', () => {
  const { guard, meet } = guardOver(undefined, { isWide: false })
  meet(`/ip4/5.0.0.1/tcp/43905/p2p/${OTHER}/p2p-circuit`, PEER, {})
  expect(guard.whyNot(LOOPBACK)).toBeUndefined()
  expect(guard.whyNot(at('/ip4/10.1.2.3/tcp/43905'))).toBeDefined()
})

test('where one peer of a routed private network was met, the others of its site are dialled', () => {
  const { guard, meet } = guardOver()
  const other = at('/ip4/10.1.9.9/tcp/43905', OTHER)
  expect(guard.whyNot(other)).toBeDefined()
  meet('/ip4/10.1.2.3/tcp/43905')
  expect(guard.whyNot(other)).toBeUndefined()
  expect(guard.whyNot(at('/ip4/10.2.0.1/tcp/43905', OTHER))).toBeDefined()
})

test('a circuit over a relay takes no dial while that relay is connected', () => {
  const { guard, meet, lose } = guardOver()
  const circuit = `/ip4/10.9.9.9/tcp/43905/p2p/${OTHER}/p2p-circuit/p2p/${PEER}`
  meet('/ip4/5.0.0.1/tcp/43905', OTHER)
  expect(guard.whyNot(circuit)).toBeUndefined()
  lose(OTHER)
  expect(guard.whyNot(circuit)).toBeDefined()
})

test('what a person named is dialled at once and again and again', async () => {
  const { guard, tryIt, addresses } = guardOver(() => Promise.reject(new Error('refused')))
  const named = at('/ip4/127.0.0.1/tcp/22')
  guard.name([named])
  for (let times = 0; times < 50; times += 1) await tryIt(named)
  expect(addresses()).toHaveLength(50)
  expect(guard.whyNot(named)).toBeUndefined()
})

test('what is refused reaches no transport, whoever dials it', async () => {
  const { tryIt, addresses } = guardOver()
  for (const address of [LOOPBACK, at('/ip4/10.1.2.3/tcp/43905'), at('/ip4/5.0.0.1/tcp/25'), '/unix/%2Frun%2Fx.sock'])
    expect(await tryIt(address)).toMatchObject({ message: expect.stringMatching(/^not dialled: /) })
  expect(addresses()).toEqual([])
})

test('a port that takes the connection and speaks no Noise is dialled twice in a minute', async () => {
  const { clock, tryIt, addresses } = guardOver(
    async (_, { upgrader }) => await upgrader.upgradeOutbound({} as never, {} as never),
  )
  for (; clock.ms < 60_000; clock.ms += 1_000) await tryIt(at('/ip4/5.0.0.1/tcp/43905'))
  expect(addresses()).toHaveLength(2)
})

test('a name of a stranger is dialled at the address it was checked for, and asked about once', async () => {
  const answers = [['5.0.0.1'], ['127.0.0.1']]
  const resolve = vi.fn(() => Promise.resolve(answers.shift() ?? []))
  const { tryIt, addresses } = guardOver(undefined, { resolve })
  await tryIt(at('/dns4/node.example/tcp/43905'))
  await tryIt(at('/dns4/node.example/tcp/43906/ws'))
  expect(addresses()).toEqual([at('/ip4/5.0.0.1/tcp/43905'), at('/ip4/5.0.0.1/tcp/43906/ws')])
  expect(resolve).toHaveBeenCalledTimes(1)
})

test('a name that stands for this machine or a private network is not dialled', async () => {
  const { tryIt, addresses } = guardOver(undefined, {
    resolve: () => Promise.resolve(['127.0.0.1', '::1', '169.254.169.254', '10.0.0.1', 'fd00::1', '::ffff:127.0.0.1']),
  })
  expect(await tryIt(at('/dns/evil.example/tcp/43905'))).toMatchObject({ message: expect.stringMatching(/host name/) })
  expect(addresses()).toEqual([])
})

test('a name that a person gave is left to the system', async () => {
  const resolve = vi.fn(() => Promise.resolve([]))
  const { guard, tryIt, addresses } = guardOver(undefined, { resolve })
  guard.name(['/dns4/inside.example/tcp/43905'])
  await tryIt(at('/dns4/inside.example/tcp/43905'))
  expect(addresses()).toEqual([at('/dns4/inside.example/tcp/43905')])
  expect(resolve).not.toHaveBeenCalled()
})

test.each([
  ['another peer answers there', {}, Object.assign(new Error('x'), { name: 'UnexpectedPeerError' })],
  ['it was a hole to be punched', { localPort: 1 }, new Error('refused')],
  ['whoever wanted it went away', { signal: AbortSignal.abort() }, new Error('aborted')],
])('a failure says nothing about an address when %s', async (_, over, error) => {
  const { guard, tryIt, addresses } = guardOver(() => Promise.reject(error))
  for (let times = 0; times < 9; times += 1) await tryIt(at('/ip4/5.0.0.1/tcp/43905'), over)
  expect(addresses()).toHaveLength(9)
  expect(guard.isPaused('/ip4/5.0.0.1/tcp/43905')).toBe(false)
})

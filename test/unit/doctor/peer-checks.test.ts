import { expect, test } from 'vitest'
import type { PeerFacts } from '../../../src-main/doctor/gather-peer.js'
import { checkPeer } from '../../../src-main/doctor/peer-checks.js'
import type { PeerConnection } from '../../../src-main/p2p/index.js'

const TCP = '/ip4/192.168.1.2/tcp/43905'

const connection = (over: Partial<PeerConnection> = {}): PeerConnection => ({
  peerId: 'peer',
  multiaddr: '/ip4/5.0.0.9/tcp/43905',
  path: 'direct-tcp',
  direction: 'outbound',
  openedAtMs: 0,
  ...over,
})

const peer = (over: Partial<PeerFacts> = {}): PeerFacts => ({
  peerId: 'peer',
  nowMs: 0,
  isSelf: false,
  known: [TCP],
  inTable: true,
  connections: [connection()],
  dials: [],
  protocols: ['/libp2p-http'],
  health: { ok: true, ms: 3, detail: 'version 0.1.0' },
  ...over,
})

const states = (given: PeerFacts): Record<string, string> =>
  Object.fromEntries(checkPeer(given).map(({ id, state }) => [id, state]))

test('the checks of a peer go up to where the path breaks', () => {
  expect(states(peer())).toEqual({ known: 'ok', connected: 'ok', protocol: 'ok', health: 'ok' })
  const dials = [{ address: TCP, ms: 5, error: 'connect ECONNREFUSED 192.168.1.2:43905' }]
  const broken = peer({ dials, connections: [], protocols: [], health: undefined })
  expect(states(broken)).toEqual({
    known: 'ok',
    [`address:${TCP}`]: 'warn',
    connected: 'bad',
    protocol: 'unknown',
    health: 'unknown',
  })
  expect(checkPeer(broken)[1]?.meaning).toContain('nothing listens')
  expect(states(peer({ known: [], connections: [] })).known).toBe('bad')
  expect(states(peer({ protocols: [] })).protocol).toBe('bad')
})

test('an address where another node answers is reported as such', () => {
  const dials = [{ address: TCP, ms: 5, error: 'Payload identity key a does not match expected remote identity key b' }]
  expect(checkPeer(peer({ dials })).find(({ id }) => id.startsWith('address:'))?.meaning).toContain(
    'Another node answers',
  )
})

test('once a route works, those that do not are one line below it, without the peer’s own loopback', () => {
  const dials = [
    { address: TCP, ms: 5, error: undefined },
    { address: '/ip4/5.0.0.9/tcp/1', ms: 5, error: 'nothing listens there (ECONNREFUSED)' },
    { address: '/ip6/2001:db8::9/tcp/1', ms: 5, error: 'there is no way to it from this machine (EHOSTUNREACH)' },
    { address: '/ip4/127.0.0.1/tcp/1', ms: 5, error: 'nothing listens there (ECONNREFUSED)' },
    { address: '/ip6/::1/tcp/1', ms: 5, error: 'nothing listens there (ECONNREFUSED)' },
  ]
  const checks = checkPeer(peer({ dials }))
  expect(checks.map(({ id, state }) => [id, state])).toEqual([
    ['known', 'ok'],
    [`address:${TCP}`, 'ok'],
    ['other-routes', 'ok'],
    ['connected', 'ok'],
    ['protocol', 'ok'],
    ['health', 'ok'],
  ])
  const others = checks.find(({ id }) => id === 'other-routes')?.fact
  expect(others).toMatch(/^2 other routes do not work from here: \/ip4\/5\.0\.0\.9/)
  expect(others).not.toMatch(/127\.0\.0\.1|::1\//)
})

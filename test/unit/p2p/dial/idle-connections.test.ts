import type { Connection } from '@libp2p/interface'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { closeIdleConnections, type IdleConnectionsNeeds } from '../../../../src-main/p2p/dial/idle-connections.js'
import { HTTP_PROTOCOL } from '../../../../src-main/p2p/http/stream-duplex.js'
import { silentLog } from '../../../fixtures/hosts.js'
import { createTurnableClock, type TurnableClock } from '../../../fixtures/table-owners.js'

let clock: TurnableClock
let open: Connection[]
let closed: string[]
let kept: Set<string>
let mesh: Set<string>
let idle: ReturnType<typeof closeIdleConnections>

beforeEach(() => {
  clock = createTurnableClock()
  open = []
  closed = []
  kept = new Set()
  mesh = new Set()
  const libp2p = {
    getConnections: () => open,
    peerStore: {
      has: (peer: unknown) => Promise.resolve(kept.has(String(peer))),
      get: () => Promise.resolve({ tags: new Map([['keep-alive-relay', {}]]) }),
    },
  } as unknown as IdleConnectionsNeeds['libp2p']
  idle = closeIdleConnections({ libp2p, isInMesh: (peerId) => mesh.has(peerId), log: silentLog, clock })
})
afterEach(() => idle.stop())

function connect(peer: string, protocols: string[] = ['/meshsub/1.2.0'], direction = 'outbound'): void {
  const connection = {
    ...{ remotePeer: peer, direction, status: 'open', streams: protocols.map((protocol) => ({ protocol })) },
    close() {
      closed.push(peer)
      open = open.filter((other) => other !== (connection as unknown as Connection))
      return Promise.resolve()
    },
  }
  open.push(connection as unknown as Connection)
}

/** Looks once a minute for four minutes. */
async function wait(): Promise<void> {
  for (let minute = 0; minute < 4; minute += 1) {
    await idle.look()
    clock.turn(60_000)
  }
}

test('of more than forty connections those that nobody uses are closed, the longest idle first', async () => {
  for (let number = 0; number < 30; number += 1) connect(`old ${String(number)}`)
  await idle.look()
  clock.turn(30_000)
  for (let number = 0; number < 20; number += 1) connect(`new ${String(number)}`)
  await wait()
  expect(closed).toEqual(Array.from({ length: 10 }, (_, number) => `old ${String(number)}`))
})

test('forty are left alone, however idle', async () => {
  for (let number = 0; number < 40; number += 1) connect(`peer ${String(number)}`)
  await wait()
  expect(closed).toEqual([])
})

test('what is in use, in the mesh, kept alive, young or opened by the other side stays', async () => {
  for (let number = 0; number < 12; number += 1) {
    connect(`http ${String(number)}`, [HTTP_PROTOCOL])
    connect(`other ${String(number)}`, ['/ocf/table-sync/1.0.0'])
    connect(`mesh ${String(number)}`)
    mesh.add(`mesh ${String(number)}`)
    connect(`kept ${String(number)}`)
    kept.add(`kept ${String(number)}`)
    connect(`inbound ${String(number)}`, [], 'inbound')
  }
  await wait()
  connect('young')
  await idle.look()
  expect(closed).toEqual([])
})

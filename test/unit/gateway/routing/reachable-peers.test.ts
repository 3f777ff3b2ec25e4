import { beforeEach, expect, test } from 'vitest'
import {
  createReachablePeers,
  type ReachablePeers,
  type ReachablePeersNeeds,
} from '../../../../src-main/gateway/routing/reachable-peers.js'
import type { PeerStatusEvent, Row, TableEvent } from '../../../../src-main/node-table/index.js'
import { recordOffering } from '../../../fixtures/table-owners.js'

const ALICE = 'alice'
let rows: Map<string, Row>
let connected: Set<string>
let away: Set<string>
let paused: Set<string>
let onRow: (event: TableEvent) => void
let onStatus: (event: PeerStatusEvent) => void
let reachable: ReachablePeers
let told: string[]
let events: EventTarget

beforeEach(async () => {
  rows = new Map()
  connected = new Set()
  away = new Set()
  paused = new Set()
  told = []
  events = new EventTarget()
  reachable = createReachablePeers({
    host: { peerId: 'self', isConnected: (peerId: string) => connected.has(peerId), libp2p: events },
    table: {
      get: (peerId: string) => rows.get(peerId),
      rows: () => rows.values(),
      subscribe(listener: typeof onRow) {
        onRow = listener
        return () => undefined
      },
      status: {
        subscribe(listener: typeof onStatus) {
          onStatus = listener
          return () => undefined
        },
      },
    },
    health: { isRoutable: (peerId: string) => !away.has(peerId), isPaused: (peerId: string) => paused.has(peerId) },
  } as unknown as ReachablePeersNeeds)
  reachable.subscribe((peerId) => told.push(peerId))
  await reachable.start(new AbortController().signal)
})

function bring(peerId: string): void {
  const row: Row = { peerId, record: recordOffering(peerId, ['a']), seq: 1, epoch: 1, expiresAtMs: 0 }
  rows.set(peerId, row)
  onRow({ type: 'row:added', row })
}
function connect(peerId: string): void {
  connected.add(peerId)
  events.dispatchEvent(new CustomEvent('peer:connect', { detail: peerId }))
}
const asked = (outcome: PeerStatusEvent['outcome']): void => onStatus({ type: 'peer:status', peerId: ALICE, outcome })

test('a row alone proves nothing, a connection does, before or after the row', () => {
  bring(ALICE)
  expect([reachable.has(ALICE), reachable.standing(ALICE)]).toEqual([false, 'unproven'])
  connect(ALICE)
  expect([reachable.has(ALICE), reachable.standing(ALICE), told]).toEqual([true, 'proven', [ALICE]])
  connect('bob')
  expect(reachable.has('bob')).toBe(false)
  bring('bob')
  expect(reachable.has('bob')).toBe(true)
})

test('one that was connected stays known to be there until it does not answer, or its row is gone', () => {
  bring(ALICE)
  connect(ALICE)
  connected.delete(ALICE)
  expect(reachable.standing(ALICE)).toBe('proven')
  asked({ kind: 'unreachable', reason: 'no' })
  expect(reachable.standing(ALICE)).toBe('unproven')
  asked({ kind: 'unsupported' })
  expect(reachable.standing(ALICE)).toBe('proven')
  onRow({ type: 'row:removed', peerId: ALICE, reason: 'expired' })
  expect(reachable.has(ALICE)).toBe(false)
  expect(told).toEqual([ALICE, ALICE, ALICE, ALICE])
})

test('one that takes nothing is away, one that failed lately doubtful, and this node proven', () => {
  bring(ALICE)
  connect(ALICE)
  away.add(ALICE)
  expect(reachable.standing(ALICE)).toBe('doubtful')
  paused.add(ALICE)
  expect([reachable.standing(ALICE), reachable.standing('self')]).toEqual(['away', 'proven'])
})

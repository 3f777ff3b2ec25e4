import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { quotaGroup, createAddressQuota } from '../../../../src-main/node-table/view/address-quota.js'
import type { TableView } from '../../../../src-main/node-table/view/view.js'
import { createKeyRing } from '../../../../src-main/node-table/wire/key-ring.js'
import { createOwners, createTurnableClock } from '../../../fixtures/table-owners.js'
import type { Owner } from '../../../fixtures/table-owners.js'
import { createTableParts, type TableParts } from '../../../fixtures/table-parts.js'

const ADDRESS = '/ip4/203.0.113.7/tcp/43905'
const clock = createTurnableClock()
const keys = createKeyRing()
let owners: Owner[]
let table: TableParts
let view: TableView

const start = (options: { maxRows?: number; maxRowsPerAddress?: number }): void => {
  table = createTableParts({ clock, keys, ...options })
  view = table.view
}
const peerIds = (): string[] => [...view.rows()].map(({ peerId }) => peerId)

beforeAll(async () => {
  owners = await createOwners(6)
})

beforeEach(() => start({ maxRowsPerAddress: 2 }))

describe('the rows of one address', () => {
  test('are limited for owners that were connected at it, whatever they claim', () => {
    for (const owner of owners) view.verified(owner.peerId, ADDRESS)
    const verdicts = owners.map((owner) => table.ingest(owner.row(), 'gossip'))
    expect(verdicts).toEqual(['accepted', 'accepted', ...owners.slice(2).map(() => 'over-quota')])
    expect(table.ingest(owners[0]!.row({ seq: 43_200_001, models: ['again'] }), 'gossip')).toBe('accepted')
  })

  test('make room for one another when one of them ends', () => {
    for (const owner of owners) view.verified(owner.peerId, ADDRESS)
    for (const owner of owners.slice(0, 2)) table.ingest(owner.row(), 'sync')
    view.sweep(0)
    expect(table.ingest(owners[2]!.row(), 'sync')).toBe('accepted')
  })

  test('go when their owner turns out to be there, once the address has enough', () => {
    const removed: unknown[] = []
    view.subscribe((event) => event.type === 'row:removed' && removed.push(event))
    for (const owner of owners.slice(0, 3)) table.ingest(owner.row(), 'sync')
    for (const owner of owners.slice(0, 3)) view.verified(owner.peerId, ADDRESS)
    expect(peerIds()).toEqual([owners[0]!.peerId, owners[1]!.peerId])
    expect(removed).toEqual([{ type: 'row:removed', peerId: owners[2]!.peerId, reason: 'over-quota' }])
  })

  test.each([
    ['/ip4/127.0.0.1/tcp/1', ''],
    ['/ip4/192.168.1.5/tcp/1', ''],
    ['/dns4/example.org/tcp/1', ''],
    ['/ip4/203.0.113.7/tcp/1/p2p/relay/p2p-circuit', ''],
    ['/ip4/203.0.113.7/udp/9/quic-v1', '203.0.113.7'],
    ['/ip6/2001:db8:1:2:3:4:5:6/tcp/1', '2001:db8:1:2'],
    ['/ip6/2001:0DB8:1:2::1/tcp/1', '2001:db8:1:2'],
    ['/ip6/2001:db8::1/tcp/1', '2001:db8:0:0'],
  ])('of %s count for "%s"', (multiaddr, group) => {
    expect(quotaGroup(multiaddr)).toBe(group)
  })
})

describe('a full table', () => {
  beforeEach(() => start({ maxRows: 3 }))

  test('gives the rows of owners it never met for those that it meets', () => {
    for (const owner of owners.slice(0, 3)) table.ingest(owner.row(), 'sync')
    expect([view.isFull, table.ingest(owners[3]!.row(), 'sync')]).toEqual([true, 'full'])
    view.verified(owners[0]!.peerId, ADDRESS)
    view.verified(owners[3]!.peerId, ADDRESS)
    expect(table.ingest(owners[3]!.row(), 'sync')).toBe('accepted')
    expect(peerIds()).toEqual([owners[0]!.peerId, owners[2]!.peerId, owners[3]!.peerId])
  })

  test('gives the row that has not changed for longest first, and none of an owner that it met', () => {
    for (const owner of owners.slice(0, 3)) view.verified(owner.peerId, ADDRESS)
    for (const owner of owners.slice(3)) table.ingest(owner.row(), 'sync')
    table.ingest(owners[3]!.row({ seq: 43_200_001 }), 'sync')
    const evicted = owners.slice(0, 3).map((owner) => {
      const before = peerIds()
      table.ingest(owner.row(), 'sync')
      return before.find((peerId) => !peerIds().includes(peerId))
    })
    expect(evicted).toEqual([owners[4]!.peerId, owners[5]!.peerId, owners[3]!.peerId])
    expect(peerIds()).toEqual(owners.slice(0, 3).map(({ peerId }) => peerId))
  })

  test('takes an owner for met until 20,000 others were met after it', () => {
    const forgotten: string[] = []
    const quota = createAddressQuota((peerId) => forgotten.push(peerId))
    for (let number = 0; number <= 20_000; number += 1) quota.verified(`peer-${String(number)}`, ADDRESS)
    expect([forgotten, quota.isVerified('peer-0'), quota.isVerified('peer-1')]).toEqual([['peer-0'], false, true])
  })

  test('takes whom it asked for its row, and never grows', () => {
    for (const owner of owners) view.verified(owner.peerId, ADDRESS)
    for (const owner of owners.slice(0, 3)) table.ingest(owner.row(), 'sync')
    expect(table.ingest(owners[4]!.row(), 'sync')).toBe('full')
    expect(table.ingest(owners[4]!.row(), 'asked')).toBe('accepted')
    expect(view.entryCount).toBe(3)
  })
})

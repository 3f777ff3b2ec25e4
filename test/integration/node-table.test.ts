import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { emptyPeerRecord } from '#shared/records.js'
import type { PeerRecord } from '#shared/records.js'
import { systemClock } from '../../src-main/clock.js'
import { createNodeTable } from '../../src-main/node-table/index.js'
import type { NodeTable } from '../../src-main/node-table/index.js'
import type { Host } from '../../src-main/p2p/index.js'
import { connect, startBareHost } from '../fixtures/bare-host.js'
import { createRecordingLog } from '../fixtures/recording-log.js'

interface Node {
  host: Host
  table: NodeTable
  log: ReturnType<typeof createRecordingLog>
}

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startNode(options: { dataDir?: string; host?: Host } = {}): Promise<Node> {
  const dataDir = options.dataDir ?? (await temporaryFolder())
  const host = options.host ?? (await startBareHost())
  const log = createRecordingLog()
  const table = createNodeTable({ host, log, clock: systemClock }, { dataDir, leaseMs: 600_000, syncEveryMs: 60_000 })
  await table.start(new AbortController().signal)
  cleanups.push(async () => {
    await table.stop()
    await host.stop()
  })
  return { host, table, log }
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ocf-table-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function offering(peerId: string, model: string): PeerRecord {
  const record = emptyPeerRecord(peerId)
  return {
    ...record,
    service: [
      {
        name: 'llm',
        hardware: record.hardware,
        status: 'connected',
        host: '127.0.0.1',
        port: '11434',
        identity_group: [`model=${model}`],
      },
    ],
  }
}

const providersOf = (node: Node, model: string): string[] => [...node.table.providers('llm', `model=${model}`)]
const eventually = { timeout: 10_000, interval: 10 }

test('a row published by one node is in every node’s table', async () => {
  const [a, b, c] = [await startNode(), await startNode(), await startNode()]
  await connect(a.host, b.host)
  await connect(b.host, c.host)
  await a.table.publish(offering(a.host.peerId, 'one'))
  await expect.poll(() => providersOf(c, 'one'), eventually).toEqual([a.host.peerId])
  expect(providersOf(a, 'one')).toEqual([a.host.peerId])
  expect(providersOf(b, 'one')).toEqual([a.host.peerId])
  await c.table.publish(offering(c.host.peerId, 'two'))
  await expect.poll(() => providersOf(a, 'two'), eventually).toEqual([c.host.peerId])
})

test('a node that joins late gets all rows by a sync', async () => {
  const [a, b] = [await startNode(), await startNode()]
  await connect(a.host, b.host)
  await a.table.publish(offering(a.host.peerId, 'one'))
  await b.table.publish(offering(b.host.peerId, 'two'))
  await expect.poll(() => [a.table.size, b.table.size], eventually).toEqual([2, 2])
  const late = await startNode()
  await connect(late.host, a.host)
  await expect.poll(() => late.table.size, eventually).toBe(2)
})

test('a withdrawal takes the row out of every table, and a late joiner does not see it', async () => {
  const [a, b, c] = [await startNode(), await startNode(), await startNode()]
  await connect(a.host, b.host)
  await connect(b.host, c.host)
  await a.table.publish(offering(a.host.peerId, 'one'))
  await expect.poll(() => providersOf(c, 'one'), eventually).toHaveLength(1)
  await a.table.withdraw()
  await expect.poll(() => [a, b, c].map((node) => node.table.size), eventually).toEqual([0, 0, 0])
  await b.table.publish(offering(b.host.peerId, 'two'))
  const late = await startNode()
  await connect(late.host, c.host)
  await expect.poll(() => late.table.size, eventually).toBe(1)
  expect(providersOf(late, 'one')).toEqual([])
})

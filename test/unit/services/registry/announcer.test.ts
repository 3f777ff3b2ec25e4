import { expect, test } from 'vitest'
import type { LocalService } from '../../../../src-main/services/index.js'
import { toServiceRecords } from '../../../../src-main/services/registry/announcer.js'

const HARDWARE = { gpus: [], host_memory: 0, host_memory_bandwidth: 0, host_memory_used: 0 }

const service = (changes: Partial<LocalService>): LocalService => ({
  id: 'llm@127.0.0.1:1',
  name: 'llm',
  host: '127.0.0.1',
  port: 1,
  status: 'connected',
  identityGroups: ['model=a'],
  published: true,
  visibility: 'everyone',
  visibilities: new Map(),
  sharedPaths: [],
  serverModelIds: new Map(),
  models: [],
  problem: undefined,
  ...changes,
})

test('only services that are published and connected are told to the network', () => {
  const services = [
    service({}),
    service({ port: 2, published: false }),
    service({ port: 3, status: 'down' }),
    service({ port: 4, status: 'starting' }),
  ]

  expect(toServiceRecords(services, HARDWARE)).toEqual({
    leftOut: 0,
    records: [
      {
        name: 'llm',
        hardware: HARDWARE,
        status: 'connected',
        host: '127.0.0.1',
        port: '1',
        identity_group: ['model=a'],
      },
    ],
  })
})

test('the entries of all services together stay within the room of a row', () => {
  const groups = Array.from({ length: 30 }, (_, index) => `model=${'x'.repeat(80)}${index}`)

  const { records, leftOut } = toServiceRecords(
    [service({ identityGroups: groups }), service({ port: 2, identityGroups: groups })],
    HARDWARE,
  )

  const entries = records.flatMap((record) => record.identity_group)
  expect(Buffer.byteLength(JSON.stringify(entries))).toBeLessThanOrEqual(3 * 1024 + 2)
  expect(entries.length + leftOut).toBe(60)
  expect(leftOut).toBeGreaterThan(0)
})

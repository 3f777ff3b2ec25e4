import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '#shared/contract/client.js'
import { createControlClient } from '../../src-main/api/client.js'
import { OLLAMA } from '../fixtures/model-servers/stand-ins/servers.js'
import { startStandIn, type StandIn } from '../fixtures/model-servers/stand-ins/stand-in.js'
import { runOcf, startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { mountSmallDisk, whyNoSmallDisk, type SmallDisk } from '../fixtures/small-disk.js'
import { until } from '../fixtures/until.js'

const noDisk = whyNoSmallDisk()
let disk: SmallDisk
let node: NodeProcess
let ollama: StandIn
let control: Pick<Client, 'call'>

beforeAll(async () => {
  if (noDisk !== undefined) return
  ollama = await startStandIn(OLLAMA())
  disk = mountSmallDisk(16 * 1024)
  node = await startNodeProcess({ dataDir: disk.dir, flags: ['--demo-model', 'off'] })
  control = createControlClient({ controlFile: join(disk.dir, 'control.json') })
})

afterAll(async () => {
  if (noDisk !== undefined) return
  await node.stop()
  await ollama.close()
  disk.unmount()
})

/** What the network and the owner see of this node's services. */
async function seen(): Promise<{ row: unknown[]; services: number; shares: number }> {
  const table = (await (await fetch(`${node.gateway}/v1/dnt/table`)).json()) as Record<string, { service: unknown[] }>
  return {
    row: Object.values(table).flatMap(({ service }) => service),
    services: (await control.call('services.list', {})).length,
    shares: (await control.call('shares.list', {})).length,
  }
}

const NOTHING = { row: [], services: 0, shares: 0 }
const share = () => ({
  host: '127.0.0.1',
  port: ollama.port,
  models: 'all' as const,
  visibility: 'everyone' as const,
  aliases: [],
})

/** `shares.add` as the dashboard sends it. */
async function add(): Promise<{ status: number; body: { error: { code: string; message: string } } }> {
  const { url, token } = JSON.parse(await readFile(join(disk.dir, 'control.json'), 'utf8')) as Record<string, string>
  const response = await fetch(`${url ?? ''}/api/call/shares.add`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token ?? ''}` },
    body: JSON.stringify(share()),
  })
  return { status: response.status, body: (await response.json()) as never }
}

test('what can’t be stored is not shared, and the answer says why', async ({ skip }) => {
  if (noDisk !== undefined) skip(noDisk)
  disk.fill()
  const onFullDisk = await add()
  expect(onFullDisk).toMatchObject({ status: 500, body: { error: { code: 'data_dir_unusable' } } })
  expect(onFullDisk.body.error.message).toMatch(/^Nothing was shared: .*shares\.json .* because the disk is full\./)
  expect(await seen()).toEqual(NOTHING)
  disk.free()

  disk.readOnly(true)
  const readOnly = await add()
  expect(readOnly).toMatchObject({ status: 500, body: { error: { code: 'data_dir_unusable' } } })
  expect(readOnly.body.error.message).toMatch(/because the disk is read-only\./)
  expect(await seen()).toEqual(NOTHING)
  disk.readOnly(false)

  await control.call('shares.add', share())
  await until(async () => (await seen()).row.length === 1, { what: 'it is in the table' })
})

test('a share ends at once, and the owner hears that it will be back', async ({ skip }) => {
  if (noDisk !== undefined) skip(noDisk)
  disk.readOnly(true)
  const { code, stderr } = await runOcf(['unshare', String(ollama.port), '--data-dir', disk.dir])
  expect(code).toBe(1)
  expect(stderr).toMatch(/is no longer shared\. It will be shared again after the next start: .*read-only/)
  await until(async () => (await seen()).row.length === 0, { what: 'it is out of the table' })
  expect(await seen()).toEqual(NOTHING)

  await expect(control.call('pause.set', { forMs: null })).rejects.toMatchObject({ code: 'data_dir_unusable' })
  expect((await control.call('pause.get', {})).paused).toBe(true)
  disk.readOnly(false)
  await control.call('pause.resume', {})
})

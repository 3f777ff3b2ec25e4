import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createControlClient } from '../../../src-main/api/client.js'
import { controlFilePath, writeControlFile } from '../../../src-main/api/http/control-file.js'
import { createFakeNode, SELF } from '../../contract/fake-node.js'
import { startServer } from '../../contract/transports.js'

let dataDir: string
let controlFile: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ocf-client-'))
  controlFile = controlFilePath(dataDir)
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

test('finds the node by its control file and brings its errors back', async () => {
  const node = createFakeNode()
  const started = await startServer(node)
  const client = createControlClient({ controlFile: controlFilePath(started.dataDir) })
  await expect(client.call('node.status', {})).resolves.toMatchObject({ peerId: SELF })
  await expect(client.call('logs.recent', { lines: 0 })).rejects.toMatchObject({
    code: 'invalid_request',
    param: 'lines',
  })
  const wrong = createControlClient({ url: started.server.url, token: 'wrong' })
  await expect(wrong.call('node.status', {})).rejects.toMatchObject({ code: 'unauthorized' })
  await started.close()
  await expect(client.call('node.status', {})).rejects.toMatchObject({ code: 'node_not_running' })
})

test('without a control file no node is running', async () => {
  await expect(createControlClient({ controlFile }).call('node.status', {})).rejects.toMatchObject({
    code: 'node_not_running',
  })
  await writeFile(controlFile, 'not json')
  await expect(createControlClient({ controlFile }).call('node.status', {})).rejects.toMatchObject({
    code: 'node_not_running',
  })
})

test('a control file of a process that is gone counts as none', async () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  await writeControlFile(controlFile, { url: 'http://127.0.0.1:1', token: 't', pid, gateway: null })
  await expect(createControlClient({ controlFile }).call('node.status', {})).rejects.toMatchObject({
    code: 'node_not_running',
  })
})

test('a connection that is refused counts as none', async () => {
  await writeControlFile(controlFile, { url: 'http://127.0.0.1:1', token: 't', pid: process.pid, gateway: null })
  await expect(createControlClient({ controlFile }).call('node.status', {})).rejects.toMatchObject({
    code: 'node_not_running',
  })
})

test('something else at that address is said to be no node', async () => {
  for (const [status, body] of [
    [200, '<html>'],
    [404, '{"error":"nope"}'],
  ] as const) {
    const other = createServer((_request, response) => response.writeHead(status).end(body))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const client = createControlClient({ url: `http://127.0.0.1:${port}`, token: 't' })
    await expect(client.call('node.status', {})).rejects.toThrow('not a node')
    other.close()
  }
})

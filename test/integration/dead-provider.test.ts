import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import { startModelServer } from '../fixtures/model-servers/index.js'
import { chat, llmFlags, flagsToJoin, modelIds, untilListed } from '../fixtures/node-pair.js'
import { runOcf, startNodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

test('a model whose only provider died is in no list once a request to it failed', async () => {
  const server = await startModelServer()
  cleanups.push(() => server.close())
  const user = await startNodeProcess({ flags: ['--demo-model', 'off'] })
  cleanups.push(() => user.stop())
  const provider = await startNodeProcess({
    flags: [...flagsToJoin(user), '--demo-model', 'off', ...llmFlags(server.port)],
  })
  cleanups.push(() => provider.kill())
  const control = createControlClient({ controlFile: join(user.dataDir, 'control.json') })
  const listed = async (): Promise<string[]> => (await control.call('models.list', {})).map(({ id }) => id)
  await untilListed(user.gateway, 'test-model')
  expect(await listed()).toEqual(['test-model'])

  await provider.kill()
  expect((await chat(user.gateway, { model: 'test-model' })).ok).toBe(false)

  await until(async () => (await modelIds(user.gateway)).length === 0, { what: 'the gateway lists it no longer' })
  expect(await listed()).toEqual([])
  expect((await runOcf(['models', '--data-dir', user.dataDir])).stdout).toContain('No model is available yet')
  // The row is still there: this is about health, not about the lease.
  expect(await control.call('table.rows', { all: true })).toContainEqual(
    expect.objectContaining({ peerId: provider.peerId }),
  )
})

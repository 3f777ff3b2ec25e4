import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServedModel } from '#shared/contract/sharing/engine.js'
import { controlFilePath, createControlClient } from '../../src-main/api/client.js'
import { tinyModel } from '../engine/gguf.js'
import { installStandIn } from '../fixtures/engine-stand-in/install.js'
import { chat, flagsToJoin, modelIds, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

/** Two nodes on one machine, whose engine's processes are real and have a stand-in for their library. */
let folder: string
let user: NodeProcess
let provider: NodeProcess

/** Each test has a model of its own, so that none waits for another one's pause. */
const MODELS = ['slow-2000us', 'killed', 'gpu', 'memory', 'future', 'gone', 'broken', 'twice']
const pathOf = (name: string): string => join(folder, `${name}.gguf`)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-model-files-'))
  for (const name of MODELS) await writeFile(pathOf(name), tinyModel())
  const [userDir, providerDir] = [join(folder, 'user'), join(folder, 'provider')]
  await Promise.all([userDir, providerDir].map(installStandIn))
  user = await startNodeProcess({ dataDir: userDir, flags: ['--demo-model', 'off'] })
  provider = await startNodeProcess({ dataDir: providerDir, flags: ['--demo-model', 'off', ...flagsToJoin(user)] })
  for (const name of MODELS) await serve(provider, name)
  for (const name of MODELS) await untilListed(user.gateway, name)
})
afterAll(async () => {
  await provider.stop()
  await user.stop()
  await rm(folder, { recursive: true, force: true })
})

const clientOf = ({ dataDir }: NodeProcess) => createControlClient({ controlFile: controlFilePath(dataDir) })

const serve = (node: NodeProcess, name: string): Promise<ServedModel> =>
  clientOf(node).call('engine.serve', { model: pathOf(name), visibility: 'everyone' })

async function served(node: NodeProcess, name: string): Promise<ServedModel> {
  const { served: all } = await clientOf(node).call('engine.get', {})
  return all.find((model) => model.name === name)!
}

const ask = (node: NodeProcess, model: string, content = 'Hello there'): Promise<Response> =>
  chat(node.gateway, { model, messages: [{ role: 'user', content }], max_tokens: 4 })

/** The process that has a model, as the system shows it: of those of a node the one that was started last. */
async function newestProcess({ pid }: NodeProcess): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['--ppid', String(pid), '-o', 'pid=', '--sort=start_time'])
  return Number(stdout.trim().split('\n').at(-1))
}

/** It is told why in words, and nobody is sent there any more. */
async function untilWithdrawn(name: string): Promise<ServedModel> {
  const failed = await until(
    async () => {
      const model = await served(provider, name)
      return model.state === 'failed' ? model : undefined
    },
    { what: `the end of ${name} is noticed` },
  )
  await until(async () => !(await modelIds(user.gateway)).includes(name), { what: `${name} is withdrawn` })
  return failed
}

test('the speed that was measured goes round with the model: a node that never asked it expects it', async () => {
  const [name] = MODELS
  const { id } = await served(provider, name!)
  const { measured } = await clientOf(provider).call('engine.measure', { id })
  expect(measured!.promptMsPer1000).toBeGreaterThanOrEqual(2000)
  const told = await until(
    async () => {
      const table = (await (await fetch(`${user.gateway}/v1/dnt/table`)).json()) as Record<string, TableRow>
      const facts = Object.values(table).flatMap(({ service = [] }) => service.flatMap((one) => one.model_facts ?? []))
      return facts.find((one) => one.model === name)?.speed
    },
    { what: 'the speed stands in the row' },
  )
  expect(told).toEqual({ promptMsPer1000: measured!.promptMsPer1000, tokensPerS: measured!.tokensPerS })
  const response = await ask(user, name!, 'word '.repeat(200))
  expect(response.status).toBe(200)
  await response.text()
  const [, read, unread] = /;read=(\d+);queue=\d+;unread=(\d+)/.exec(response.headers.get('x-ocf-route') ?? '') ?? []
  const perThousandMs = (Number(read) / Number(unread)) * 1000
  expect(perThousandMs / measured!.promptMsPer1000).toBeCloseTo(1, 0)
})

interface TableRow {
  service?: { model_facts?: { model: string; speed?: object }[] }[]
}

test('a process that is killed: the model is withdrawn, left alone for a while, and served again', async () => {
  const response = await ask(user, 'killed')
  expect(response.headers.get('x-computing-node')).toBe(provider.peerId)
  process.kill(await newestProcess(provider), 'SIGKILL')
  const { problem } = await untilWithdrawn('killed')
  expect(problem).toBe('The system ended its process, most likely for lack of memory.')
  await untilListed(user.gateway, 'killed')
  expect((await ask(user, 'killed')).status).toBe(200)
})

test.each([
  ['gpu', 'gpu-lost', 'The GPU failed while it was working.'],
  [
    'memory',
    'out-of-memory',
    'There is not enough memory for it now. Choose a smaller context, or close other programs.',
  ],
  ['future', 'Hello', 'The engine does not know this kind of model yet.'],
])('what ends the process of %s is told in words, and the model is withdrawn', async (name, content, words) => {
  const response = await ask(provider, name, content)
  expect(response.status).toBeGreaterThanOrEqual(500)
  await response.text()
  expect((await untilWithdrawn(name)).problem).toBe(words)
  // Nothing starts it again by itself, and a request meanwhile is told at once.
  const again = await ask(provider, name)
  expect([404, 502, 503]).toContain(again.status)
  expect((await served(provider, name)).state).toBe('failed')
})

test('a file that is deleted while it is in memory is told and withdrawn; back again, it is served', async () => {
  expect((await ask(user, 'gone')).status).toBe(200)
  await rm(pathOf('gone'))
  expect((await ask(provider, 'gone')).status).toBe(502)
  expect((await untilWithdrawn('gone')).problem).toBe('The file is gone.')
  await writeFile(pathOf('gone'), tinyModel(2))
  await untilListed(user.gateway, 'gone')
  expect((await ask(user, 'gone')).status).toBe(200)
})

test('a file that is replaced by a broken one is not answered from any more, and can’t be served anew', async () => {
  expect((await ask(user, 'broken')).status).toBe(200)
  await writeFile(pathOf('broken'), tinyModel().subarray(0, 300))
  expect((await ask(provider, 'broken')).status).toBe(502)
  expect((await untilWithdrawn('broken')).problem).toMatch(/^It can’t be read: /)
  await writeFile(join(folder, 'other.gguf'), 'no model at all')
  await expect(serve(provider, 'other')).rejects.toMatchObject({ code: 'invalid_service' })
})

test('two nodes of one machine run one file beside each other, each with a process of its own', async () => {
  expect((await ask(provider, 'twice')).status).toBe(200)
  await serve(user, 'twice')
  await until(async () => (await served(user, 'twice')).state === 'idle', { what: 'it is served here as well' })
  await until(
    async () => {
      const response = await ask(user, 'twice')
      await response.text()
      return response.headers.get('x-computing-node') === user.peerId
    },
    { what: 'this node answers itself' },
  )
  expect((await served(user, 'twice')).state).toBe('ready')
  process.kill(await newestProcess(user), 'SIGKILL')
  await until(async () => (await served(user, 'twice')).state === 'failed', { what: 'the end is noticed' })
  // The other one goes on, and takes what this node can't.
  const response = await ask(user, 'twice')
  expect(response.headers.get('x-computing-node')).toBe(provider.peerId)
  expect(response.status).toBe(200)
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { EMBEDDER, TALKER } from '../fixtures/clients/stand-ins.js'
import { clientTable } from '../fixtures/clients/table.js'
import { startWorldsAround } from '../fixtures/clients/world.js'
import { tinyModel } from './gguf.js'
import { startLlamaServer } from './llama-server.js'

const folder = await mkdtemp(join(tmpdir(), 'ocf-llama-server-'))
const file = join(folder, 'tiny.gguf')
await writeFile(file, tinyModel())
const llama = await startLlamaServer(file, { name: TALKER })
const embeddings =
  'missing' in llama ? llama : await startLlamaServer(file, { name: EMBEDDER, flags: ['--embeddings'] })
if ('missing' in embeddings) process.stdout.write(`llama-server is left out: ${embeddings.missing}\n`)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe.skipIf('missing' in embeddings)('llama-server', () => {
  let worlds: Awaited<ReturnType<typeof startWorldsAround>>

  beforeAll(async () => {
    if (!('missing' in llama) && !('missing' in embeddings)) worlds = await startWorldsAround({ llama, embeddings })
  })

  afterAll(() => worlds.stop())

  clientTable((library) => worlds.of(library), ['ollama'])
})

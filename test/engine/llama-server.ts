import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Served } from '../fixtures/clients/world.js'
import { until } from '../fixtures/until.js'
import { installEmbeddedServer, installLlamaServer } from './install.js'

/**
 * Starts llama.cpp's own server with a file, as people run it: what it answers is its own, to the last byte. Or the reason
 * why it does not run here.
 */
export async function startLlamaServer(
  file: string,
  { name, flags = [] }: { name: string; flags?: readonly string[] },
): Promise<Served | { missing: string }> {
  const installed = await installLlamaServer()
  if ('missing' in installed) return installed
  const { path } = installed
  const port = await freePort()
  const args = ['-m', file, '-a', name, '--port', String(port), '-c', '16384', '-np', '2', '-t', '1', ...flags]
  const env = { ...process.env, LD_LIBRARY_PATH: dirname(path) }
  const server = spawn(path, args, { env, stdio: 'ignore' })
  const ended = endOf(server)
  const isThere = (page: string) => fetch(`http://127.0.0.1:${port}${page}`).catch(() => undefined)
  const isReady = until(async () => (await isThere('/health'))?.ok, { what: 'llama-server is ready', limitMs: 60_000 })
  const why = await Promise.race([ended, isReady.then(() => undefined)])
  if (why !== undefined) {
    isReady.catch(() => undefined)
    return { missing: why }
  }
  async function isIdle(): Promise<boolean> {
    const slots = (await (await isThere('/slots'))?.json()) as { is_processing: boolean }[] | undefined
    return slots?.every((slot) => !slot.is_processing) === true
  }
  return {
    port,
    idle: () => until(isIdle, { what: 'no slot is at work' }),
    async close() {
      server.kill()
      await ended
    },
  }
}

/**
 * The same server within another program, with one slot and so many threads, for whoever measures it. It runs where the
 * program itself ends with an illegal instruction.
 */
export async function startEmbeddedServer(
  file: string,
  { threads, context }: { threads: number; context: number },
): Promise<{ origin: string; close(): Promise<void> } | { missing: string }> {
  const installed = await installEmbeddedServer()
  if ('missing' in installed) return installed
  const script = join(import.meta.dirname, 'embedded-server.py')
  const server = spawn('python3', [script, file, String(threads), String(context)], {
    env: { ...process.env, PYTHONPATH: installed.path },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const ended = once(server, 'exit')
  const line = await Promise.race([
    once(createInterface(server.stdout), 'line').then(([text]) => String(text)),
    ended.then(() => undefined),
  ])
  if (line === undefined) return { missing: 'llama.cpp’s server does not run here' }
  return {
    origin: (JSON.parse(line) as { address: string }).address,
    async close() {
      server.stdin.end()
      await ended
    },
  }
}

/** Why it ended. */
async function endOf(server: ChildProcess): Promise<string> {
  const [code, signal] = (await once(server, 'exit')) as [number | null, string | null]
  return `llama-server does not run here (it ends with ${signal ?? code})`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

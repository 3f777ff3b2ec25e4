import { skipBinaryTest } from './binary-test.js'
import { EngineJobSchema, JOB_VARIABLE, type WorkerEvent } from './job.js'
import type { LlamaLibrary } from './library.js'
import { load } from './load.js'
import { serve } from './server.js'

/** A process of the engine: one model, served on loopback to the node that started it. It ends with that node. */

const tell = (event: WorkerEvent): boolean => process.stdout.write(`${JSON.stringify(event)}\n`)

/** The engine can't be trusted to work any more: the node starts another process. */
function end(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(3)
}

process.on('uncaughtException', end)
process.on('unhandledRejection', end)
const job = EngineJobSchema.parse(JSON.parse(process.env[JOB_VARIABLE] ?? 'null'))
// Nothing that this process starts gets to see its token.
Reflect.deleteProperty(process.env, JOB_VARIABLE)

if (job.endsWithInput) {
  // The node holds the other end: it closes with the node, however that ends.
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0))
  process.stdin.resume()
}

if ('electron' in process.versions || job.backend === 'cpu') skipBinaryTest()

try {
  const library = (await import(/* @vite-ignore */ job.library)) as LlamaLibrary
  let told = 0
  const loaded = await load(library, job, (fraction) => {
    if (fraction - told < 0.05) return
    told = fraction
    tell({ event: 'loading', fraction })
  })
  const port = await serve(loaded, {
    token: job.token,
    // The answer that says so goes out first.
    onBroken: (error) => setImmediate(() => setTimeout(end, 50, error)),
  })
  const { contextTokens, backend, note } = loaded
  tell({
    ...{ event: 'ready', port, contextTokens, backend, note },
    ...{ slots: loaded.slots.total, gpuLayers: loaded.model.gpuLayers },
  })
} catch (error) {
  tell({ event: 'failed', reason: error instanceof Error ? error.message : String(error) })
  process.exitCode = 2
  setTimeout(() => process.exit(2), 200).unref()
}

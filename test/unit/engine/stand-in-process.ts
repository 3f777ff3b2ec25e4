import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import type { StartEngineProcess } from '../../../src-main/engine/index.js'
import { EngineJobSchema, type EngineJob } from '../../../src-main/engine/worker/job.js'

/** A process of the engine that only exists in this one. */
export interface StandIn {
  job: EngineJob
  /** It says that it could not, and ends. */
  fail(reason: string): void
  /** It ends as a crash does. */
  crash(how: string): void
  hasEnded: boolean
}

/** Starts such processes; each is ready at once unless `isReady` says no, and answers with what its model is called. */
export function standInProcesses(): { start: StartEngineProcess; started: StandIn[]; stop(): void; isReady: boolean } {
  const servers: Server[] = []
  const all = { started: [] as StandIn[], isReady: true, stop: () => servers.forEach((server) => server.close()) }
  function start(variables: Record<string, string>): ReturnType<StartEngineProcess> {
    const job = EngineJobSchema.parse(JSON.parse(Object.values(variables)[0] ?? ''))
    const ended = Promise.withResolvers<string>()
    const stdout = new PassThrough()
    const server = createServer((request, response) => {
      const isMine = request.headers.authorization === `Bearer ${job.token}`
      response.writeHead(isMine ? 200 : 401, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ model: job.name, memoryBytes: 1000 }))
    })
    servers.push(server)
    const end = (how: string): void => {
      if (standIn.hasEnded) return
      standIn.hasEnded = true
      server.closeAllConnections()
      server.close()
      stdout.end()
      ended.resolve(how)
    }
    const standIn: StandIn = {
      job,
      hasEnded: false,
      crash: end,
      fail(reason) {
        stdout.write(`${JSON.stringify({ event: 'failed', reason })}\n`)
        setImmediate(end, 'exit code 2')
      },
    }
    all.started.push(standIn)
    server.listen(0, '127.0.0.1', () => {
      if (!all.isReady) return
      const { port } = server.address() as AddressInfo
      const { contextTokens, slots, backend } = job
      stdout.write('a library that talks\n')
      stdout.write(
        `${JSON.stringify({ event: 'ready', port, contextTokens, slots, gpuLayers: 0, backend, note: null })}\n`,
      )
    })
    return { pid: 1, stdout, stderr: new PassThrough(), ended: ended.promise, kill: () => end('signal SIGTERM') }
  }
  return Object.assign(all, { start: Object.assign(start, { endsWithInput: true }) })
}

import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../fixtures/until.ts'
import { startBenchNode, startBenchWorker, type BenchNode, type BenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import { percentile } from '../statistics.ts'
import type { CrowdCommand } from './crowd.ts'

const RESULTS = resolve(import.meta.dirname, '../results')
const VITALS = join(import.meta.dirname, 'vitals.mjs')
const CROWD = join(import.meta.dirname, 'crowd.ts')
/** Light peers that one process of the crowd holds. */
const PEERS_OF_PROCESS = 500
/** The most that `limits.concurrent` takes; of more requests the others wait for their turn. */
const MOST_AT_ONCE = 1_000
/** Dials under way at a time, of all processes: more only wait for each other until they take too long. */
const PARALLEL_DIALS = 60
const IDLE_MS = 10_000
const ANOTHER_MODEL = 'another-model'

interface Vitals {
  rssMiB: number
  heapMiB: number
  cpuMs: number
  delayMs: { p50: number; p99: number; max: number }
}

/** One node and a thousand peers, or `--nodes`: connections, streams at a time, gossip, and what it costs the node. */
export async function benchScale({ peers }: BenchOptions): Promise<void> {
  const processes = Math.ceil(peers / PEERS_OF_PROCESS)
  const server = await startBarrier(Math.min(peers, MOST_AT_ONCE))
  const big = await startBenchNode(
    [
      ...['--demo-model', 'off', '--service.name', 'llm', '--service.port', String(server.port)],
      ...['--service.shared-path', 'POST /v1/hold'],
      ...['--limits.concurrent', String(Math.min(peers, MOST_AT_ONCE)), '--limits.queue', '1000'],
    ],
    { imports: [VITALS], execArgv: ['--expose-gc'] },
  )
  const crowds: BenchWorker[] = []
  const result: Record<string, unknown> = { node: process.version, cores: cpus().length, peers }
  const report = (row: string, figures: object): void => {
    result[row] = figures
    console.log(`${row.padEnd(22)} ${JSON.stringify(figures)}`)
  }
  try {
    const before = await vitals(big)
    for (let index = 0; index < processes; index += 1) {
      const size = Math.floor((peers + index) / processes)
      crowds.push(await startBenchWorker(CROWD, { args: [String(size)], hooks: true }))
    }
    const all = <T>(command: CrowdCommand): Promise<T[]> => Promise.all(crowds.map((crowd) => crowd.ask<T>(command)))
    const countOf = async (command: CrowdCommand): Promise<number> =>
      (await all<{ count: number }>(command)).reduce((sum, { count }) => sum + count, 0)

    const address = big.multiaddrs.find((text) => /\/tcp\/\d+\/p2p\//.test(text)) ?? ''
    let startedAt = performance.now()
    const dials = await all<{ errors: string[]; dialMs: number[] }>({
      do: 'connect',
      address,
      parallel: Math.ceil(PARALLEL_DIALS / processes),
    })
    const connectS = (performance.now() - startedAt) / 1000
    const dialMs = dials.flatMap((part) => part.dialMs)
    const errors = dials.flatMap((part) => part.errors)
    const connected = await countOf({ do: 'connected' })
    report('connect', {
      connected,
      seconds: round(connectS),
      dialMs: { p50: round(percentile(dialMs, 50)), p99: round(percentile(dialMs, 99)) },
      errors: errors.length,
      firstError: errors[0],
    })
    report('while connecting', delays(await vitals(big)))

    await pause(5_000) // identify, gossip's first heartbeats and round trips are part of connecting, not of rest
    const rested = await vitals(big)
    await pause(IDLE_MS)
    const idle = await vitals(big)
    report('at rest', {
      rssKiBPerPeer: round(((idle.rssMiB - before.rssMiB) * 1024) / peers),
      heapKiBPerPeer: round(((idle.heapMiB - before.heapMiB) * 1024) / peers),
      rssMiB: round(idle.rssMiB),
      cpuPercent: round(((idle.cpuMs - rested.cpuMs) / IDLE_MS) * 100),
      ...delays(idle),
    })

    startedAt = performance.now()
    const path = '/v1/_service/llm/v1/hold'
    const answers: Record<string, number> = {}
    for (const part of await all<{ answers: Record<string, number> }>({
      ...{ do: 'request', peerId: big.peerId, path, perPeer: 1 },
    })) {
      for (const [key, count] of Object.entries(part.answers)) answers[key] = (answers[key] ?? 0) + count
    }
    const seconds = round((performance.now() - startedAt) / 1000)
    const worked = await vitals(big)
    report('all at the same time', {
      answers,
      atOnce: server.mostAtOnce(),
      seconds,
      cpuS: round((worked.cpuMs - idle.cpuMs) / 1000),
      ...delays(worked),
    })

    startedAt = performance.now()
    const provider = await startBenchNode([
      ...['--demo-model', 'off', '--service.name', 'llm', '--service.port', String(server.port)],
      ...['--bootstrap.addr', address],
    ])
    try {
      // A node that has all the connections it takes may have no room for this one.
      const visibleMs = await until(
        async () => (await (await fetch(`${big.gateway}/v1/dnt/table?all=1`)).text()).includes(provider.peerId),
        { what: 'the row of a new provider is there', limitMs: 20_000 },
      ).then(
        () => performance.now() - startedAt,
        (error: unknown) => {
          console.log(String(error))
          return undefined
        },
      )
      server.listModel(ANOTHER_MODEL)
      startedAt = performance.now()
      await until(async () => (await countOf({ do: 'heard', text: ANOTHER_MODEL })) >= connected * 0.99, {
        what: 'the changed row of the big node reached the crowd',
        // Servers that are fine are looked at every 30 s.
        limitMs: 45_000,
        everyMs: 500,
      }).catch((error: unknown) => console.log(String(error)))
      report('gossip', {
        newProviderVisibleMs: visibleMs === undefined ? undefined : round(visibleMs),
        heardOfChangedRow: await countOf({ do: 'heard', text: ANOTHER_MODEL }),
        heardOfProvider: await countOf({ do: 'heard', text: provider.peerId }),
        ...delays(await vitals(big)),
      })
    } finally {
      await provider.stop()
    }
    report('still connected', { count: await countOf({ do: 'connected' }) })
    await mkdir(RESULTS, { recursive: true })
    await writeFile(join(RESULTS, 'scale.json'), `${JSON.stringify(result, null, 2)}\n`)
  } finally {
    for (const crowd of crowds) await crowd.stop()
    await big.stop()
    server.close()
  }
}

const round = (value: number): number => Math.round(value * 10) / 10
const vitals = (node: BenchNode): Promise<Vitals> => node.ask<Vitals>({})
const delays = ({ delayMs: { p50, p99, max } }: Vitals): object => ({
  delayMs: { p50: round(p50), p99: round(p99), max: round(max) },
})

/** After so long without another request, those that wait are all that are left. */
const NOBODY_ELSE_MS = 10_000

/** A model server that answers nobody before `size` requests are there, or all that are left: proof that they ran together. */
async function startBarrier(size: number): Promise<{
  port: number
  mostAtOnce: () => number
  listModel: (id: string) => void
  close: () => void
}> {
  const waiting: ServerResponse[] = []
  const models = ['held']
  let most = 0
  let lonely: NodeJS.Timeout | undefined
  const release = (): void => {
    for (const held of waiting.splice(0)) held.end('{"ok":true}')
  }
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    if (request.url !== '/v1/hold') {
      response.end(JSON.stringify({ object: 'list', data: models.map((id) => ({ id, object: 'model' })) }))
      return
    }
    waiting.push(response)
    most = Math.max(most, waiting.length)
    clearTimeout(lonely)
    if (waiting.length >= size) release()
    else lonely = setTimeout(release, NOBODY_ELSE_MS)
  })
  // An idle connection that ends while a request is on its way to it would fail that one.
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1', 4096)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    mostAtOnce: () => most,
    listModel: (id) => void models.push(id),
    close: () => {
      clearTimeout(lonely)
      server.close()
      server.closeAllConnections()
    },
  }
}

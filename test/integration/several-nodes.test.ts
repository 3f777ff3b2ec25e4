import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runOcf, startNodeProcess, type NodeProcess, type NodeProcessOptions } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const cleanups: (() => Promise<unknown>)[] = []
let scratch: string
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ocf-several-'))
  cleanups.push(() => rm(scratch, { recursive: true, force: true }))
})
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function start(options: NodeProcessOptions): Promise<NodeProcess> {
  const node = await startNodeProcess({ ...options, flags: ['--demo-model', 'off', ...(options.flags ?? [])] })
  cleanups.push(() => node.stop())
  return node
}

const portsIn = (node: NodeProcess, kind: RegExp): string[] =>
  node.multiaddrs.flatMap((address) => kind.exec(address)?.[1] ?? [])

describe('nodes of one machine in the mode local', () => {
  const local = (): Promise<NodeProcess> =>
    start({
      ports: ['--port', '0', '--api-port', '0', '--tcpport', '0'],
      runtimeDir: scratch,
      flags: ['--mode', 'local'],
    })

  const peersOf = async ({ dataDir }: NodeProcess): Promise<string[]> => {
    const { stdout } = await runOcf(['peers', '--json', '--data-dir', dataDir])
    const peers = JSON.parse(stdout) as { peerId: string; connected: boolean }[]
    return peers.filter(({ connected }) => connected).map(({ peerId }) => peerId)
  }

  const untilMet = async (one: NodeProcess, other: NodeProcess): Promise<void> => {
    await until(async () => (await peersOf(one)).includes(other.peerId), {
      what: 'the nodes have met',
      limitMs: 30_000,
    })
  }

  test('meet whatever their ports are, also one that starts later or after one was killed', async () => {
    const first = await local()
    const second = await local()
    await untilMet(second, first)
    await first.kill()
    const third = await local()
    await untilMet(third, second)
    expect(await readdir(join(scratch, 'ocf-nodes'))).toEqual(
      [second, third].map(({ peerId }) => `${peerId}.json`).sort(),
    )
  })

  test('a standalone node is not among them', async () => {
    await start({ runtimeDir: scratch, flags: ['--mode', 'standalone'] })
    await expect(readdir(join(scratch, 'ocf-nodes'))).rejects.toThrow()
  })
})

describe('default ports', () => {
  /** Holds them on loopback, unless another program of this machine does already. */
  async function holdDefaults(): Promise<void> {
    for (const port of [8092, 8093, 43905, 43906]) {
      const server: Server = createServer().listen(port, '127.0.0.1')
      const isOurs = await Promise.race([
        once(server, 'listening').then(() => true),
        once(server, 'error').then(() => false),
      ])
      if (isOurs) cleanups.push(() => new Promise((resolve) => server.close(resolve)))
    }
  }

  test('that are in use are replaced by free ones, everywhere', async () => {
    await holdDefaults()
    const node = await start({ ports: [], flags: ['--mode', 'standalone'] })
    expect(node.gateway).not.toContain(':8092')
    expect(node.dashboard).not.toContain(':8093')
    expect((await fetch(`${node.gateway}/v1/health`)).status).toBe(200)
    expect(portsIn(node, /\/tcp\/(\d+)\/p2p/)).not.toContain('43905')
    expect(portsIn(node, /\/tcp\/(\d+)\/ws/)).not.toContain('43906')
    const lines = node.stderr().split('\n')
    const told = lines.filter((line) => line.includes('default ports are in use'))
    expect(told).toHaveLength(1)
    for (const setting of ['port', 'api-port', 'tcpport', 'wsport']) expect(told[0]).toContain(setting)
    const control = JSON.parse(await readFile(join(node.dataDir, 'control.json'), 'utf8')) as Record<string, string>
    expect(control['gateway']).toBe(node.gateway)
    expect(node.dashboard.startsWith(control['url'] ?? '?')).toBe(true)
    const status = JSON.parse((await runOcf(['status', '--json', '--data-dir', node.dataDir])).stdout) as object
    expect(status).toMatchObject({ peerId: node.peerId })
  })

  test('that were given are an error all the same', async () => {
    await holdDefaults()
    for (const [setting, port] of [
      ['port', '8092'],
      ['tcpport', '43905'],
    ] as const) {
      const { code, stderr } = await runOcf([
        ...['start', '--data-dir', join(scratch, setting), '--mode', 'standalone', '--p2p-host', '127.0.0.1'],
        ...[`--${setting}`, port],
      ])
      expect([setting, code]).toEqual([setting, 1])
      expect(stderr).toContain(`--${setting}`)
    }
  })

  test('two nodes that start at the same moment both come up', async () => {
    const [one, two] = await Promise.all([
      start({ ports: [], flags: ['--mode', 'standalone'] }),
      start({ ports: [], flags: ['--mode', 'standalone'] }),
    ])
    expect(one.gateway).not.toBe(two.gateway)
    expect(one.dashboard.split('#')[0]).not.toBe(two.dashboard.split('#')[0])
  })

  test('a free TCP port makes the WebSocket port a free one', async () => {
    const node = await start({
      ports: ['--port', '0', '--api-port', '0', '--tcpport', '0'],
      flags: ['--mode', 'standalone'],
    })
    const [wsPort] = portsIn(node, /\/tcp\/(\d+)\/ws/)
    expect(wsPort).not.toBe('43906')
    expect(node.stderr()).not.toContain('wsport')
  })
})

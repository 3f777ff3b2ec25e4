import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { NetworkView } from '#shared/contract/network/join.js'
import type { PeerView } from '#shared/contract/network/peers.js'
import { NO_PEERS_YET } from '#shared/contract/node/node.js'
import {
  HEADLESS,
  type NodeProcess,
  type NodeProcessOptions,
  runOcf,
  startNodeProcess,
} from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const running: NodeProcess[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()))
})

async function start(options: NodeProcessOptions = {}): Promise<NodeProcess> {
  const node = await startNodeProcess({ ...options, flags: ['--demo-model', 'off', ...(options.flags ?? [])] })
  running.push(node)
  return node
}

const ocf = (node: NodeProcess, ...words: string[]) => runOcf([...words, '--data-dir', node.dataDir])

const tcpOf = (node: NodeProcess): string => node.multiaddrs.find((address) => /\/tcp\/\d+\/p2p\//.test(address)) ?? ''
const portOf = (node: NodeProcess): string => tcpOf(node).split('/')[4] ?? ''

async function isConnected(node: NodeProcess, other: NodeProcess): Promise<boolean> {
  const { stdout } = await ocf(node, 'peers', '--json')
  return (JSON.parse(stdout) as PeerView[]).some(({ peerId, connected }) => connected && peerId === other.peerId)
}

const networkOf = async (node: NodeProcess): Promise<NetworkView> =>
  JSON.parse((await ocf(node, 'network', '--json')).stdout) as NetworkView

describe('ocf join', () => {
  test.each([
    ['a multiaddr', tcpOf],
    ['host:port of the peer listener', (node: NodeProcess) => `127.0.0.1:${portOf(node)}`],
    ['host:port of the gateway', (node: NodeProcess) => new URL(node.gateway).host],
    ['the base URL of a gateway', (node: NodeProcess) => node.gateway],
    ['the base URL of its API', (node: NodeProcess) => `${node.gateway}/v1`],
    ['a bootstraps URL', (node: NodeProcess) => `${node.gateway}/v1/dnt/bootstraps`],
  ])('ocf join takes %s, and the node is connected when it returns', async (_what, whatOf) => {
    const [host, guest] = await Promise.all([start(), start()])
    const { code, stdout } = await ocf(guest, 'join', whatOf(host))
    expect(stdout).toMatch(/^Joined through \S+, which is asked again at each start\.\n$/)
    expect(code).toBe(0)
    expect(await isConnected(guest, host)).toBe(true)
    expect(await readFile(join(guest.dataDir, 'config.yaml'), 'utf8')).toContain('bootstrap')
  })

  test('what was joined is joined again after a restart, until ocf leave takes it out', async () => {
    const host = await start()
    const first = await start()
    expect((await ocf(first, 'join', tcpOf(host))).code).toBe(0)
    await first.kill()
    const again = await start({ dataDir: first.dataDir })
    await until(() => isConnected(again, host), { what: 'it is connected again', limitMs: 30_000 })
    expect((await networkOf(again)).joined).toEqual([tcpOf(host)])
    expect((await ocf(again, 'leave')).code).toBe(0)
    expect(await networkOf(again)).toMatchObject({ joined: [] })
    expect(await readFile(join(first.dataDir, 'config.yaml'), 'utf8')).not.toContain('bootstrap')
    expect(await readFile(join(first.dataDir, 'remembered-peers.json'), 'utf8')).not.toContain(host.peerId)
    await again.kill()
    const third = await start({ dataDir: first.dataDir })
    expect((await networkOf(third)).joined).toEqual([])
    await third.kill()
  })

  test('ocf join says plainly what is wrong, and changes nothing', async () => {
    const node = await start()
    const cases = [
      { words: ['two', 'words'], exit: 2, says: 'This is nothing that can be joined. It takes an invite' },
      { words: [node.peerId], exit: 2, says: 'This is a peer id' },
      { words: [tcpOf(node)], exit: 1, says: 'This is the address of this node itself.' },
      { words: ['127.0.0.1:1'], exit: 1, says: 'nothing listens there (ECONNREFUSED)' },
      { words: ['/ip4/0.0.0.0/tcp/1'], exit: 1, says: 'no one’s address' },
      { words: ['ocf-net1AAAA'], exit: 1, says: 'Characters of this key are missing' },
      { words: ['ocf1AAAA'], exit: 1, says: 'invite' },
    ]
    for (const { words, exit, says } of cases) {
      const { code, stderr } = await ocf(node, 'join', ...words)
      expect(stderr.replaceAll("'", '’')).toContain(says)
      expect(code, words.join(' ')).toBe(exit)
    }
    expect(await networkOf(node)).toMatchObject({ joined: [], privateName: null, known: null })
  })

  test('a node on its own that was told to stay so does not join', async () => {
    const [host, loner] = await Promise.all([start(), start({ flags: ['--mode', 'standalone'] })])
    const { code, stderr } = await ocf(loner, 'join', tcpOf(host))
    expect(stderr).toContain('Start it with --mode node.')
    expect(code).toBe(1)
  })
})

describe('a node that met no one', () => {
  test('says so with the next step in the banner, the status, the doctor and on the page of its gateway', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ocf-test-'))
    const ports = ['port', 'api-port', 'tcpport', 'wsport', 'udpport'].flatMap((name) => [`--${name}`, '0'])
    const words = ['start', '--data-dir', folder, '--p2p-host', '127.0.0.1', '--demo-model', 'off', ...ports]
    const child = spawn(process.execPath, [HEADLESS, ...words], { stdio: ['ignore', 'pipe', 'ignore'] })
    const exited = once(child, 'exit')
    let banner = ''
    child.stdout.on('data', (chunk: Buffer) => (banner += chunk.toString()))
    try {
      await until(() => banner.includes('Try it:'), { what: 'the banner is there', limitMs: 60_000 })
      expect(banner).toContain(NO_PEERS_YET)
      expect((await runOcf(['status', '--data-dir', folder])).stdout).toContain(`\n${NO_PEERS_YET}\n`)
      expect((await runOcf(['doctor', '--data-dir', folder])).stdout).toContain(NO_PEERS_YET)
      const gateway = /http:\/\/\S+(?=\/v1\n)/.exec(banner)?.[0] ?? ''
      expect(await (await fetch(gateway)).text()).toContain(NO_PEERS_YET.replaceAll("'", '&#39;'))
    } finally {
      child.kill()
      await exited
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('says nothing of the kind once somebody is connected', async () => {
    const [host, guest] = await Promise.all([start(), start()])
    await ocf(guest, 'join', tcpOf(host))
    expect((await ocf(guest, 'status')).stdout).not.toContain(NO_PEERS_YET)
    expect(await (await fetch(guest.gateway)).text()).not.toContain('met no one')
  })
})

describe('a private network', () => {
  test('is founded, joined by its invite after a restart, and left, with the identity and the trust kept', async () => {
    const [founder, guest] = await Promise.all([start(), start()])
    const founded = await ocf(founder, 'network', 'create', 'lab', '--yes')
    expect(founded.stdout).toContain('It runs again, in the private network lab.')
    const file = join(founder.dataDir, 'networks', 'lab.key')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await ocf(founder, 'status')).stdout).toContain(founder.peerId)

    const invite = (await ocf(founder, 'invite')).stdout.trim()
    const refused = await ocf(guest, 'join', invite)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('With --yes it restarts into that network.')
    expect((await networkOf(guest)).nextPrivateName).toBeNull()

    const joined = await ocf(guest, 'join', '--yes', invite)
    expect(joined.stdout).toMatch(/It runs again, in the private network lab\.\nYou and .+ trust each other now\.\n/)
    expect(joined.code).toBe(0)
    expect((await ocf(guest, 'status')).stdout).toContain(guest.peerId)
    expect(await isConnected(guest, founder)).toBe(true)
    expect((await ocf(guest, 'network', 'key')).stdout).toBe((await ocf(founder, 'network', 'key')).stdout)

    const left = await ocf(guest, 'network', 'leave', '--yes')
    expect(left.stdout).toContain('It runs again, in the open network.')
    expect((await ocf(guest, 'people')).stdout).toContain(founder.peerId)
    expect((await ocf(guest, 'join', 'lab', '--yes')).stdout).toContain('in the private network lab')
  })

  test('takes no name that is taken or that is none for a file', async () => {
    const node = await start()
    for (const name of ['none', 'opentela', '../lab', 'Lab', 'x'.repeat(40)]) {
      expect((await ocf(node, 'network', 'create', name)).code, name).toBe(1)
    }
    expect((await networkOf(node)).nextPrivateName).toBeNull()
  })
})

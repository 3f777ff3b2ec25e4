import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, test } from 'vitest'
import type { DoctorReport } from '#shared/contract/node/doctor.js'
import { TABLE_TOPIC } from '../../src-main/node-table/replicate/gossip.js'
import { SYNC_PROTOCOL } from '../../src-main/node-table/replicate/sync.js'
import { canonicalUpdate, clientIdOf } from '../../src-main/node-table/wire/canonical-update.js'
import type { CanonicalEntry } from '../../src-main/node-table/wire/canonical-update.js'
import { createEnvelopeSigner } from '../../src-main/node-table/wire/envelope.js'
import { EPOCH_MS, epochOf } from '../../src-main/node-table/wire/epoch.js'
import { createFrameStream } from '../../src-main/node-table/wire/sync-frames.js'
import type { Host } from '../../src-main/p2p/index.js'
import { startBareHost } from '../fixtures/bare-host.js'
import { runOcf, startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { recordOffering } from '../fixtures/table-owners.js'

const OWNERS = 200
const ROUNDS = 20
/** Owners that sign two rows with one number: each is worth a line of the log. */
const LIARS = 900
/** As large as an envelope may be, or nearly. */
const MODELS = Array.from({ length: 60 }, (_, index) => `a-model-with-a-name-as-long-as-they-come-${String(index)}`)
const MB = 1e6

let node: NodeProcess | undefined
let folder = ''
const hosts: Host[] = []
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop()
  await node?.kill()
  await rm(folder, { recursive: true, force: true })
})

async function bytesBelow(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => stat(join(entry.parentPath, entry.name)).catch(() => null)),
  )
  return sizes.reduce((sum, found) => sum + (found?.size ?? 0), 0)
}

/** Invented owners; each signs a row that is as long as may be, or one of a single model. */
async function inventOwners(count: number): Promise<((atMs: number, model?: string) => CanonicalEntry)[]> {
  const keys = await Promise.all(Array.from({ length: count }, () => generateKeyPair('Ed25519')))
  return keys.map((key) => {
    const [peerId, signer] = [key.publicKey.toString(), createEnvelopeSigner(key)]
    return (atMs, model) => {
      const epoch = epochOf(atMs)
      const seq = atMs - epoch * EPOCH_MS
      const record = recordOffering(peerId, model === undefined ? MODELS : [model])
      const bytes = signer.sign({ epoch, seq, leaseMs: 600_000, record })
      return { peerId, epoch, seq, clientId: clientIdOf(`${peerId}${model ?? ''}`, epoch), bytes }
    }
  })
}

test(
  'a stranger that writes all it can for some seconds leaves a data folder that is bounded, and the doctor says its size',
  { timeout: 120_000 },
  async () => {
    const dataDir = (folder = await mkdtemp(join(tmpdir(), 'ocf-test-')))
    node = await startNodeProcess({ dataDir, flags: ['--demo-model', 'off', '--mode', 'local'] })
    const hostile = await startBareHost()
    hosts.push(hostile)
    hostile.pubsub.subscribe(TABLE_TOPIC)
    const address = node.multiaddrs.find((each) => each.includes('/tcp/') && !each.includes('/ws')) ?? ''
    const connection = await hostile.libp2p.dial(multiaddr(address))
    const stream = await connection.newStream(SYNC_PROTOCOL)
    const frames = createFrameStream(stream, AbortSignal.timeout(60_000))
    frames.write({ type: 'hello', digest: new Uint8Array(16).fill(1), timeMs: Date.now() })
    await frames.read()
    let sentBytes = 0
    const send = async (entries: readonly CanonicalEntry[]): Promise<void> => {
      const update = canonicalUpdate(entries)
      sentBytes += update.byteLength
      expect(frames.write({ type: 'rows', update })).toBe(true)
      expect(await frames.read()).toMatchObject({ type: expect.stringMatching(/taken|enough/) })
    }

    const startMs = Date.now() - ROUNDS
    const owners = await inventOwners(OWNERS)
    for (let round = 0; round < ROUNDS; round += 1) await send(owners.map((sign) => sign(startMs + round)))
    const liars = await inventOwners(LIARS)
    for (const model of ['one', 'other']) await send(liars.map((sign) => sign(startMs, model)))
    frames.abort('done')

    expect(sentBytes).toBeGreaterThan(8 * MB)
    expect(await bytesBelow(dataDir)).toBeLessThan(sentBytes + 4 * MB)
    const { stdout } = await runOcf(['doctor', '--json', '--data-dir', dataDir])
    const { checks } = JSON.parse(stdout) as DoctorReport
    expect(checks.find(({ id }) => id === 'disk-use')).toMatchObject({
      state: 'ok',
      fact: expect.stringContaining('node table'),
    })
    await node.stop()
    const logged = (await readFile(join(dataDir, 'logs', 'ocf.log'), 'utf8')).split('\n')
    const ofLiars = logged.filter((line) => line.includes('signed two different rows'))
    expect(ofLiars.length).toBeGreaterThan(100)
    expect(ofLiars.length).toBeLessThan(700)
  },
)

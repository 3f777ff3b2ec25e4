import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runOcf, startNodeProcess } from '../fixtures/node-process.js'
import { mountSmallDisk, whyNoSmallDisk, type SmallDisk } from '../fixtures/small-disk.js'

const FREE = ['--port', '0', '--api-port', '0', '--tcpport', '0', '--wsport', '0', '--udpport', '0']
const START = ['start', '--mode', 'standalone', '--demo-model', 'off', '--p2p-host', '127.0.0.1', ...FREE]

let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ocf-start-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const works = (program: string, ...args: string[]): boolean => {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** One sentence for the person, and nothing of the program's inside. */
function expectSentence({ code, stderr }: { code: number | null; stderr: string }, ...parts: string[]): void {
  const said = stderr.split('\n').filter((line) => line.startsWith('ocf: '))
  expect(said, stderr).toHaveLength(1)
  for (const part of parts) expect(said[0]).toContain(part)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(code).toBe(1)
}

const noDisk = whyNoSmallDisk()
if (noDisk !== undefined) process.stdout.write(`skipped: ${noDisk}\n`)

describe.skipIf(noDisk !== undefined)('a start on a full disk', () => {
  let disk: SmallDisk
  beforeAll(() => {
    disk = mountSmallDisk(512)
  })
  afterAll(() => disk.unmount())

  test.each([0, 4, 12, 24])('a start on a disk with %i KiB left says that the disk is full', async (leftKiB) => {
    disk.fill(leftKiB * 1024)
    const dir = join(disk.dir, `data-${leftKiB}`)
    const result = await runOcf([...START, '--data-dir', dir])
    expectSentence(result, `The disk of the data folder ${dir} is full`, '--data-dir')
    expect(result.stderr).not.toContain('remove')
    disk.free()
    await rm(dir, { recursive: true, force: true })
  })
})

const limited = works('prlimit', '--nofile=64:64', 'true')

test.skipIf(!limited).each([30, 40])('a start with %i open files says how to raise the limit', async (limit) => {
  const dir = join(scratch, `files-${limit}`)
  const result = await runOcf([...START, '--data-dir', dir], { through: ['prlimit', `--nofile=${limit}:${limit}`] })
  expectSentence(result, 'limit of open files', 'ulimit -n')
  // Nothing was taken for broken.
  const node = await startNodeProcess({ dataDir: dir, flags: ['--mode', 'standalone', '--demo-model', 'off'] })
  expect(node.stderr()).not.toContain('moved aside')
  await node.stop()
})

test('a gateway address of another machine names --host', async () => {
  const result = await runOcf([...START, '--data-dir', join(scratch, 'address'), '--host', '203.0.113.7'])
  expectSentence(result, 'This machine has no address 203.0.113.7', '--host')
})

test('a peer address of another machine names --p2p-host', async () => {
  const dir = join(scratch, 'p2p-address')
  const result = await runOcf([...START, '--data-dir', dir, '--p2p-host', '203.0.113.7'])
  expectSentence(result, 'This machine has no address 203.0.113.7', '--p2p-host')
})

/** Root without the right to low ports, which a test may have. */
const WITHOUT_LOW_PORTS = ['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service']
const LISTEN_80 = `require('net').createServer().once('error', () => process.exit(1)).listen(80, '127.0.0.1', () => process.exit(0))`
const mayNot = (through: string[]): boolean =>
  works(through[0]!, ...through.slice(1), 'true') &&
  !works(through[0]!, ...through.slice(1), process.execPath, '-e', LISTEN_80)
const lowly = process.getuid?.() === 0 ? WITHOUT_LOW_PORTS : ['env']
const refused = process.platform === 'linux' && mayNot(lowly)
if (!refused) process.stdout.write('skipped: every user may listen on low ports here\n')

test.skipIf(!refused).each(['port', 'api-port', 'tcpport', 'wsport', 'udpport'])(
  'a low port for %s that this user may not have names the setting',
  async (setting) => {
    const args = [...START, '--data-dir', join(scratch, `low-${setting}`), `--${setting}`, '80']
    expectSentence(await runOcf(args, { through: lowly }), 'listen on port 80', `--${setting}`)
  },
)

const isRoot = process.platform === 'linux' && process.getuid?.() === 0
if (!isRoot) process.stdout.write('skipped: only root can start a program as a user without an entry\n')

test.skipIf(!isRoot)(
  'a user without an entry and a home starts nodes with --data-dir, and hears of it without',
  async () => {
    const open = join(scratch, 'homeless')
    await mkdir(open)
    await chmod(scratch, 0o755)
    await chmod(open, 0o777)
    const run = async (...args: string[]) => {
      const { PATH } = process.env
      const launcher = fileURLToPath(new URL('../../src-main/launcher.mjs', import.meta.url))
      const child = spawn(process.execPath, [launcher, ...args], { uid: 54_321, gid: 54_321, env: { PATH } })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, stderr: output }
    }
    const config = await run('config', '--data-dir', join(open, 'data'))
    expect(config.stderr).toContain(join(open, 'data'))
    expect(config.code).toBe(0)
    expectSentence(await run(...START), 'The data folder', '--data-dir')
  },
)

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OWNER_FILE } from '../fixtures/file-modes.js'
import { HEADLESS, runOcf, startNodeProcess, withoutSettings, type NodeProcess } from '../fixtures/node-process.js'

let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ocf-cli-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const FREE = [
  '--port',
  '0',
  '--api-port',
  '0',
  '--tcpport',
  '0',
  '--wsport',
  '0',
  '--udpport',
  '0',
  '--p2p-host',
  '127.0.0.1',
]

const QUIET = ['--mode', 'standalone', '--demo-model', 'off']

describe('what keeps a node from starting', () => {
  test('wrong flags are all told at once, with exit code 2 and nothing started', async () => {
    const dir = join(scratch, 'never')
    const flags = ['--port', 'abc', '--mode', 'sometimes', '--nonsense', '--service.name', 'llm', '--data-dir', dir]
    const { code, stderr, stdout } = await runOcf(['start', ...flags])
    expect(code).toBe(2)
    for (const named of ['--port', '--mode', '--nonsense', 'service.port']) expect(stderr).toContain(named)
    expect(stdout).toBe('')
    await expect(stat(dir)).rejects.toThrow()
  })

  test('a port in use names the setting and the program that holds it', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    for (const setting of ['port', 'api-port', 'tcpport', 'wsport']) {
      const { code, stderr } = await runOcf([
        ...['start', '--data-dir', join(scratch, `port-${setting}`), '--mode', 'standalone'],
        ...FREE,
        ...[`--${setting}`, String(port)],
      ])
      expect([setting, code]).toEqual([setting, 1])
      expect(stderr).toContain(`--${setting}`)
      if (process.platform === 'linux') expect(stderr).toContain(`pid ${process.pid}`)
    }
    holder.close()
  })

  test('an unreadable key is named and never replaced', async () => {
    const dir = join(scratch, 'broken-key')
    const first = await startNodeProcess({ dataDir: dir, flags: ['--mode', 'standalone', '--demo-model', 'off'] })
    await first.kill()
    const key = join(dir, 'identity.key')
    await writeFile(key, 'not a key')
    const { code, stderr } = await runOcf(['start', '--data-dir', dir, ...FREE])
    expect(code).toBe(1)
    expect(stderr).toContain(key)
    expect(await readFile(key, 'utf8')).toBe('not a key')
  })

  test('a folder of something else is left alone', async () => {
    const dir = join(scratch, 'foreign')
    await mkdir(dir)
    await writeFile(join(dir, 'thesis.txt'), 'mine')
    const { code, stderr } = await runOcf(['start', '--data-dir', dir, ...FREE])
    expect(code).toBe(1)
    expect(stderr).toContain(dir)
    expect(stderr).toContain('--data-dir')
    await expect(stat(join(dir, 'identity.key'))).rejects.toThrow()
  })

  test.skipIf(process.getuid?.() !== 0)(
    'a folder that another user has prepared runs none of that user’s commands',
    async () => {
      const dir = join(scratch, 'prepared-by-another')
      const proof = join(scratch, 'the-command-ran')
      await mkdir(dir)
      await writeFile(join(dir, 'ocf-data.json'), '{"format":1}')
      await writeFile(join(dir, 'config.yaml'), `subprocess: "touch '${proof}'"\n`)
      for (const path of [join(dir, 'config.yaml'), dir]) {
        await chown(path, 65_534, 65_534)
        const { code, stderr } = await runOcf(['start', '--data-dir', dir, ...FREE])
        expect([path, code]).toEqual([path, 2])
        expect(stderr).toContain('belongs to another user')
      }
      await chown(join(dir, 'config.yaml'), 0, 0)
      const { code, stderr } = await runOcf(['start', '--data-dir', dir, ...FREE])
      expect(code).toBe(2)
      expect(stderr).toContain(`one of them (65534) owns ${dir}`)
      await expect(stat(proof)).rejects.toThrow()
    },
  )

  test('a folder with nothing but a settings file in it is fine', async () => {
    const dir = join(scratch, 'prepared')
    await mkdir(dir)
    await writeFile(join(dir, 'config.yaml'), 'mode: standalone\ndemo-model: off\n')
    const node = await startNodeProcess({ dataDir: dir })
    const config = await runOcf(['config', '--json', '--data-dir', dir])
    expect(config.stdout).toContain('config.yaml')
    await node.stop()
  })

  test('a second node on one folder says who has it', async () => {
    const node = await startNodeProcess({ flags: ['--mode', 'standalone', '--demo-model', 'off'] })
    const { code, stderr } = await runOcf(['start', '--data-dir', node.dataDir, ...FREE])
    expect(code).toBe(1)
    expect(stderr).toContain(node.dataDir)
    expect(stderr).toContain(String(node.pid))
    await node.stop()
  })

  test.skipIf(process.getuid?.() === 0)('a folder that cannot be written is named', async () => {
    const dir = join(scratch, 'read-only')
    await mkdir(dir)
    await chmod(dir, 0o500)
    const { code, stderr } = await runOcf(['start', '--data-dir', dir, ...FREE])
    expect(code).toBe(1)
    expect(stderr).toContain(dir)
  })
})

describe('commands at a running node', () => {
  let node: NodeProcess
  const at = (...words: string[]) => runOcf([...words, '--data-dir', node.dataDir])
  beforeAll(async () => {
    node = await startNodeProcess({
      flags: ['--mode', 'standalone', '--demo-model', 'on', '--demo-model.tokens-per-second', '1000'],
    })
  })
  afterAll(() => node.stop())

  test('the ready line has everything a script needs', () => {
    expect(node.gateway).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(node.dashboard).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=.{20,}$/)
    expect(node.multiaddrs.every((address) => address.endsWith(`/p2p/${node.peerId}`))).toBe(true)
    for (const kind of ['/tcp/', '/ws/', '/quic-v1/']) expect(node.multiaddrs.join()).toContain(kind)
  })

  test('status, peers and models as JSON and for people', async () => {
    const status = JSON.parse((await at('status', '--json')).stdout) as { peerId: string }
    expect(status.peerId).toBe(node.peerId)
    expect(JSON.parse((await at('peers', '--json')).stdout)).toEqual([])
    const models = JSON.parse((await at('models', '--json')).stdout) as { id: string }[]
    expect(models.map(({ id }) => id)).toEqual(['ocf-demo'])
    expect((await at('status')).stdout).toContain(node.peerId)
    expect((await at('models')).stdout).toContain('ocf-demo')
  })

  test('chat prints the answer, and says who gave it', async () => {
    const { code, stdout, stderr } = await at('chat', 'ocf-demo', 'What is a peer?')
    expect(code).toBe(0)
    expect(stdout.length).toBeGreaterThan(20)
    expect(stderr).toMatch(/^answered by this computer · \d+ tokens · /)
  })

  test('chat with an unknown model names near ones and fails', async () => {
    const { code, stderr } = await at('chat', 'ocf-demos', 'Hello')
    expect(code).toBe(1)
    expect(stderr).toContain('ocf-demo')
    expect(stderr).toContain('model_not_found')
  })

  test('the token is in a file for this user only, and in no log line', async () => {
    const file = join(node.dataDir, 'control.json')
    expect((await stat(file)).mode & 0o777).toBe(OWNER_FILE)
    const { token } = JSON.parse(await readFile(file, 'utf8')) as { token: string }
    expect(node.stderr()).not.toContain(token)
  })

  test('without a node, commands say so with exit code 3', async () => {
    const dir = join(scratch, 'nobody')
    for (const command of ['status', 'peers', 'models']) {
      const { code, stderr } = await runOcf([command, '--data-dir', dir])
      expect([command, code]).toEqual([command, 3])
      expect(stderr).toContain('ocf start')
    }
  })
})

test('the same folder is the same node: a crash and a restart keep the peer id', async () => {
  const first = await startNodeProcess({ flags: ['--mode', 'standalone', '--demo-model', 'off'] })
  await first.kill()
  const again = await startNodeProcess({
    dataDir: first.dataDir,
    flags: ['--mode', 'standalone', '--demo-model', 'off'],
  })
  expect(again.peerId).toBe(first.peerId)
  await again.stop()
  await rm(first.dataDir, { recursive: true, force: true })
})

/** Runs `ocf start` as a service does, until it has said where it is, and stops it; everything it wrote. */
async function startForPeople(
  dir: string,
  wrap: (command: string[]) => string[] = (command) => command,
): Promise<string> {
  const [command = '', ...args] = wrap([process.execPath, HEADLESS, 'start', '--data-dir', dir, ...QUIET, ...FREE])
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: withoutSettings() })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const exited = once(child, 'exit')
  await expect.poll(() => said).toContain('/v1/models')
  const { pid } = JSON.parse(await readFile(join(dir, 'control.json'), 'utf8')) as { pid: number }
  process.kill(pid, 'SIGTERM')
  await exited
  return said
}

describe('the link of the dashboard', () => {
  test('a start without a terminal prints no token, neither there nor in its log, but the way to the link', async () => {
    const dir = join(scratch, 'journal')
    const said = await startForPeople(dir)
    const { token } = JSON.parse(await readFile(join(dir, 'control-token.json'), 'utf8')) as { token: string }
    expect(said).toContain(`ocf open --data-dir '${dir}'`)
    expect(said).not.toContain(token)
    expect(await readFile(join(dir, 'logs', 'ocf.log'), 'utf8')).not.toContain(token)
  })

  test.skipIf(process.platform !== 'linux')('a start on a terminal prints the link', async () => {
    const dir = join(scratch, 'terminal')
    const said = await startForPeople(dir, (command) => ['script', '-qefc', command.join(' '), '/dev/null'])
    const { token } = JSON.parse(await readFile(join(dir, 'control-token.json'), 'utf8')) as { token: string }
    expect(said).toContain(`/#token=${token}`)
  })

  test('ocf open prints the link of the running node; it lasts over a crash, until it is replaced', async () => {
    const dir = join(scratch, 'lasting')
    const first = await startNodeProcess({ dataDir: dir, flags: QUIET })
    const open = async (...more: string[]) =>
      (await runOcf(['open', '--print', '--data-dir', dir, ...more])).stdout.trim()
    expect(await open()).toBe(first.dashboard)
    await first.kill()
    const second = await startNodeProcess({ dataDir: dir, flags: QUIET })
    const tokenOf = (link: string) => new URL(link).hash
    expect(tokenOf(second.dashboard)).toBe(tokenOf(first.dashboard))
    const replaced = await open('--new-link')
    expect(tokenOf(replaced)).not.toBe(tokenOf(first.dashboard))
    expect(await open()).toBe(replaced)
    expect(second.stderr()).not.toContain(tokenOf(replaced))
    await second.stop()
    expect(await runOcf(['open', '--data-dir', dir])).toMatchObject({ code: 3, stdout: '' })
  })
})

test('a seed is an identity for demos, and the log says so', async () => {
  const options = { env: { OCF_SEED: '7' }, flags: ['--mode', 'standalone', '--demo-model', 'off'] }
  const one = await startNodeProcess(options)
  const two = await startNodeProcess(options)
  expect(two.peerId).toBe(one.peerId)
  expect(one.stderr()).toContain('seed')
  await one.stop()
  await two.stop()
})

test('ocf demo ends with a real answer and the path it took', async () => {
  const { code, stdout } = await runOcf(['demo', '--once', '--nodes', '3', '--port', '0', '--api-port', '0'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/The path +your app → node 1 \(…\w{6}\) → node 3 \(…\w{6}\) → demo model +\d+ tokens/)
  expect(stdout).toContain('curl http://127.0.0.1:')
  expect(stdout).toMatch(/ocf-demo +I am the demo model/)
})

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { extractAll } from '@electron/asar'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { controlFilePath, createControlClient } from '../../src-main/api/client.js'
import { tinyModel } from '../engine/gguf.js'
import { noChromium } from '../fixtures/chromium/launch.js'
import { askEngineProgram, installStandIn } from '../fixtures/engine-stand-in/install.js'
import { listAsar, sizeOf, type AsarFile } from './asar.js'
import { makeStubElectron, readFuses } from './stub-electron.js'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** Without Electron itself, which is over 100 MB whatever the program does. */
const BUDGET_BYTES = 14_000_000

const dir = mkdtempSync(join(tmpdir(), 'ocf-package-'))
const program = join(dir, 'dist', 'linux-unpacked')
const archive = join(program, 'resources', 'app.asar')
const app = join(dir, 'app')
let files: AsarFile[] = []

const manifest = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, Record<string, string> | undefined>

beforeAll(() => {
  if (!existsSync(join(ROOT, 'out', 'main', 'main.js'))) throw new Error('Run `npm run build` first.')
  makeStubElectron(join(dir, 'electron'))
  // The stub is given here and never in the configuration: a real package must not get it.
  const words = ['--linux', 'dir', '--publish', 'never', `-c.electronDist=${join(dir, 'electron')}`]
  execFileSync(
    process.execPath,
    [join(ROOT, 'node_modules', 'electron-builder', 'cli.js'), ...words, `-c.directories.output=${join(dir, 'dist')}`],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  files = listAsar(archive)
  extractAll(archive, app)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('the program without Electron stays within its size', () => {
  const { packedBytes, unpackedBytes } = sizeOf(archive)
  const biggest = folderSizes().slice(0, 8)
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
  process.stdout.write(
    `package: app.asar ${mb(packedBytes)} + unpacked natives ${mb(unpackedBytes)}, ${files.length} files\n` +
      biggest.map(([name, bytes]) => `  ${mb(bytes).padStart(8)}  ${name}\n`).join(''),
  )
  expect(packedBytes).toBeLessThan(BUDGET_BYTES)
  expect(unpackedBytes).toBeLessThan(BUDGET_BYTES / 2)
})

test('native modules lie beside the archive, and only those of this system', () => {
  const natives = files.filter(({ path }) => path.endsWith('.node'))
  expect(natives.length).toBeGreaterThan(0)
  for (const { path, isUnpacked } of natives) {
    expect(isUnpacked, path).toBe(true)
    expect(path).not.toMatch(/darwin|win32|android|freebsd/)
  }
})

test('no development dependency, source map or TypeScript is in it', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean } | undefined>
  }
  const named = manifest(ROOT)['devDependencies'] ?? {}
  // One that tests name may be a dependency of a dependency as well: the lock knows.
  const isDevelopment = (name: string): boolean => name in named && packages[`node_modules/${name}`]?.dev === true
  const packed = new Set(files.flatMap(({ path }) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
  expect([...packed].filter(isDevelopment)).toEqual([])
  expect(files.filter(({ path }) => /\.(map|ts|mts|cts|tsbuildinfo)$/.test(path))).toEqual([])
})

test('of the packages, those with natives are in it and what these ask for; the others are a part of the program', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dependencies?: Record<string, string> } | undefined>
  }
  const needed = new Set(['classic-level'])
  for (const name of needed)
    for (const other of Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {})) needed.add(other)
  const packed = new Set(files.flatMap(({ path }) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
  const ofQuic = [...packed].filter((name) => name.startsWith('@chainsafe/'))
  expect(ofQuic).toEqual(['@chainsafe/libp2p-quic', expect.stringMatching(/^@chainsafe\/libp2p-quic-linux-/)])
  expect([...packed].filter((name) => !ofQuic.includes(name)).sort()).toEqual([...needed].sort())
})

test('the pictures of the tray are in it, the tests and sources are not', () => {
  const paths = files.map(({ path }) => path)
  expect(paths).toContain('out/tray/sharing.png')
  for (const name of [
    'tray/sharingWindows@2x.png',
    'window/icon.png',
    'renderer/starting.html',
    'renderer/crashed.html',
  ]) {
    expect(paths).toContain(`out/${name}`)
  }
  expect(paths).toContain('out/preload/preload.cjs')
  expect(paths.filter((path) => /^(src-|test\/|assets\/|docs\/|\.ci)/.test(path))).toEqual([])
})

test('the program of the engine’s processes is in it, with all it needs', async () => {
  expect(files.map(({ path }) => path)).toContain('out/main/engine.js')
  expect(await askEngineProgram(join(app, 'out', 'main', 'engine.js'))).toBe('this this')
})

test('the licences lie beside the program', () => {
  for (const name of ['LICENSE', 'THIRD-PARTY-LICENSES.txt']) {
    expect(readFileSync(join(program, 'resources', name), 'utf8')).toContain('Apache License')
  }
})

test('it names the place where newer versions are published', () => {
  const description = parse(readFileSync(join(program, 'resources', 'app-update.yml'), 'utf8')) as object
  expect(description).toMatchObject({
    provider: 'github',
    owner: expect.any(String) as string,
    repo: expect.any(String) as string,
    updaterCacheDirName: 'ocf-desktop-updater',
  })
})

test('Electron’s binary will run nothing but this program', async () => {
  expect(await readFuses(join(program, 'ocf-desktop'))).toMatchObject({
    RunAsNode: false,
    // There are no cookies, and their key would ask for the keychain.
    EnableCookieEncryption: false,
    EnableNodeOptionsEnvironmentVariable: false,
    EnableNodeCliInspectArguments: false,
    EnableEmbeddedAsarIntegrityValidation: true,
    OnlyLoadAppFromAsar: true,
    GrantFileProtocolExtraPrivileges: false,
  })
})

test('the desktop entry is named after the id of the app’s windows', () => {
  const { desktopName } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8')) as { desktopName: string }
  expect(desktopName).toBe('org.opencompute.OpenCompute.desktop')
})

test('the packed program starts under plain Node with an empty environment and answers a chat request', async () => {
  const words = ['port', 'api-port', 'tcpport', 'wsport', 'udpport'].map((name) => `--${name}=0`)
  const child = spawn(
    process.execPath,
    [
      join(app, 'out', 'main', 'headless.js'),
      ...['start', '--mode=standalone', '--p2p-host=127.0.0.1', '--ready-json', '--demo-model=on'],
      ...words,
      `--data-dir=${join(dir, 'node')}`,
    ],
    { cwd: tmpdir(), env: {}, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let stderr = ''
  child.stderr.on('data', (data) => (stderr += String(data)))
  const exited = once(child, 'exit')
  try {
    const line = await Promise.race([
      once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
      exited.then(() => ''),
    ])
    expect(line, stderr).toContain('"event":"ready"')
    const { gateway, multiaddrs } = JSON.parse(line) as { gateway: string; multiaddrs: string[] }
    // QUIC is the part that is native.
    expect(multiaddrs.some((address) => address.includes('/quic-v1'))).toBe(true)
    const models = async (): Promise<string[]> => {
      const answer = (await (await fetch(`${gateway}/v1/models`)).json()) as { data: { id: string }[] }
      return answer.data.map(({ id }) => id)
    }
    await expect.poll(models, { timeout: 20_000 }).not.toEqual([])
    const response = await fetch(`${gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        model: (await models())[0],
        messages: [{ role: 'user', content: 'hello' }],
        max_tokens: 8,
      }),
    })
    expect(response.status).toBe(200)
    const answer = (await response.json()) as { choices: { message: { content: string } }[] }
    expect(answer.choices[0]?.message.content).not.toBe('')
  } finally {
    child.kill('SIGTERM')
  }
  expect(await exited).toEqual([0, null])
})

test('main, preload and renderer of the packed program work together on the stand-in, whose archive is one file', async (context) => {
  context.skip(noChromium !== undefined, noChromium)
  vi.stubEnv('OCF_APP_DIR', app)
  vi.stubEnv('OCF_BUILT_DIR', join(app, 'out'))
  vi.resetModules()
  const { launchStandIn } = await import('../fixtures/electron-stand-in/launch.js')
  const { withTrayHost } = await import('../fixtures/tray-host.js')
  const words = ['port', 'api-port', 'tcpport', 'wsport', 'udpport'].map((name) => `--${name}=0`)
  const dataDir = join(dir, 'desktop')
  await installStandIn(dataDir)
  const desktop = await launchStandIn(
    ['--updated', '--mode=standalone', '--p2p-host=127.0.0.1', ...words, `--data-dir=${dataDir}`],
    {
      ...withTrayHost(dir, true),
      XDG_CONFIG_HOME: join(dir, 'xdg'),
      STAND_IN_RESOURCES: join(program, 'resources'),
    },
  )
  try {
    await desktop.page.getByTestId('base-url').waitFor({ timeout: 50_000 })
    expect(await desktop.inMain(({ trays }) => trays?.size)).toBe(1)
    // A model from its file, in a process that the app starts from its archive.
    const model = join(dir, 'tiny.gguf')
    writeFileSync(model, tinyModel())
    const client = createControlClient({ controlFile: controlFilePath(dataDir) })
    const { id } = await client.call('engine.serve', { model })
    expect((await client.call('engine.measure', { id })).measured?.tokensPerS).toBeGreaterThan(0)
  } finally {
    expect(await desktop.close()).toBe(0)
  }
})

/** Bytes of each package and of the program itself, the biggest first. */
function folderSizes(): [string, number][] {
  const sizes = new Map<string, number>()
  for (const { path, sizeBytes } of files) {
    const name = /^(node_modules\/(?:@[^/]+\/)?[^/]+|[^/]+(?:\/[^/]+)?)/.exec(path)?.[1] ?? path
    sizes.set(name, (sizes.get(name) ?? 0) + sizeBytes)
  }
  return [...sizes].sort(([, a], [, b]) => b - a)
}

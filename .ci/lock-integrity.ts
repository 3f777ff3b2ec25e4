// Every package that is installed is checked against package-lock.json: an entry without a checksum is installed unseen.
//   node .ci/lock-integrity.ts                  fails on such an entry that is not excused below
//   node .ci/lock-integrity.ts --strict         excuses none: for a release
//   node .ci/lock-integrity.ts --complete       asks the registry for what is missing, writes the lock, fails if any stays
//   node .ci/lock-integrity.ts --install NAME   installs one package of the lock, checked, whatever this system is
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** An entry of the lock file. */
interface LockEntry {
  version?: string
  integrity?: string
  link?: boolean
  inBundle?: boolean
}

/** A lock file, as far as it matters here. */
export interface Lock {
  packages: Record<string, LockEntry>
}

/** Entries that may lack a checksum outside a release, with the reason (docs/decisions/0003). */
const EXCUSED = {
  reason:
    'Natives of other systems: the registry where the lock file is written serves none of them. A release completes them.',
  packages: [
    '@chainsafe/libp2p-quic-darwin-arm64',
    '@chainsafe/libp2p-quic-darwin-x64',
    '@chainsafe/libp2p-quic-linux-arm64-gnu',
    '@chainsafe/libp2p-quic-linux-arm64-musl',
    '@chainsafe/libp2p-quic-linux-x64-musl',
    '@chainsafe/libp2p-quic-win32-x64-msvc',
  ],
}

const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/

const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '')

/** The installed entries without a SHA-512 checksum, by path. */
function unchecked(lock: Lock): string[] {
  return Object.entries(lock.packages).flatMap(([path, entry]) =>
    path === '' || entry.link === true || entry.inBundle === true || SHA512.test(entry.integrity ?? '') ? [] : [path],
  )
}

/** What is wrong with a lock file, one sentence each: entries without a checksum, and excuses that none needs any more. */
export function lockProblems(lock: Lock, excused: readonly string[]): string[] {
  const missing = unchecked(lock)
  const names = new Set(missing.map(nameOf))
  return [
    ...missing.filter((path) => !excused.includes(nameOf(path))).map((path) => `${path} has no sha512 checksum.`),
    ...excused
      .filter((name) => !names.has(name))
      .map((name) => `${name} is excused without need: take it off the list.`),
  ]
}

/** The lock with the checksums that `ask` gives for what lacks one. Throws, naming each, when it gives none. */
export function completed(lock: Lock, ask: (spec: string) => string): Lock {
  const failed: string[] = []
  const packages = { ...lock.packages }
  for (const path of unchecked(lock)) {
    const entry = packages[path] ?? {}
    const spec = `${nameOf(path)}@${entry.version ?? ''}`
    const integrity = ask(spec)
    if (!SHA512.test(integrity)) failed.push(spec)
    const { version, ...rest } = entry
    packages[path] = { version, integrity, ...rest }
  }
  if (failed.length > 0) throw new Error(`The registry gives no checksum of ${failed.join(', ')}.`)
  return { ...lock, packages }
}

/** The checksum of a package's file, as lock files have it. */
export function integrityOf(tarball: Uint8Array): string {
  return `sha512-${createHash('sha512').update(tarball).digest('base64')}`
}

const root = resolve(import.meta.dirname, '..')
const lockFile = join(root, 'package-lock.json')

function run(command: string, args: readonly string[]): string {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed.`)
  return stdout
}

function install(lock: Lock, name: string): void {
  const path = `node_modules/${name}`
  const { version, integrity } = lock.packages[path] ?? {}
  if (version === undefined || !SHA512.test(integrity ?? '')) throw new Error(`The lock has no checksum of ${name}.`)
  const scratch = mkdtempSync(join(tmpdir(), 'ocf-install-'))
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', scratch, `${name}@${version}`])) as [
    { filename: string },
  ]
  const tarball = join(scratch, packed.filename)
  if (integrityOf(readFileSync(tarball)) !== integrity) throw new Error(`${name}@${version} is not what the lock says.`)
  mkdirSync(join(root, path), { recursive: true })
  run('tar', ['-xzf', tarball, '-C', join(root, path), '--strip-components=1'])
  rmSync(scratch, { recursive: true })
}

if (import.meta.main) {
  const [mode, name = ''] = process.argv.slice(2)
  let lock = JSON.parse(readFileSync(lockFile, 'utf8')) as Lock
  if (mode === '--complete') {
    lock = completed(lock, (spec) => run('npm', ['view', spec, 'dist.integrity']).trim())
    writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`)
  }
  if (mode === '--install') install(lock, name)
  const problems = lockProblems(lock, mode === undefined ? EXCUSED.packages : [])
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  if (mode === undefined) process.stdout.write(`${EXCUSED.packages.length} entries are excused: ${EXCUSED.reason}\n`)
  process.exitCode = problems.length > 0 ? 1 : 0
}

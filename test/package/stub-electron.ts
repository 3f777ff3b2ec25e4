import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where Electron keeps its fuses in its binary, as @electron/fuses finds them. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
const FUSES = [
  'runAsNode',
  'cookieEncryption',
  'nodeOptions',
  'nodeCliInspect',
  'asarIntegrity',
  'onlyLoadAppFromAsar',
  'browserSnapshot',
  'fileProtocolPrivileges',
  'wasmTrapHandlers',
] as const
export type FuseName = (typeof FUSES)[number]

/** As much of an Electron distribution as the packager touches. It does not run. */
export function makeStubElectron(dir: string): void {
  mkdirSync(join(dir, 'locales'), { recursive: true })
  mkdirSync(join(dir, 'resources'))
  const header = Buffer.from([1, FUSES.length])
  const states = Buffer.alloc(FUSES.length, '1')
  writeFileSync(
    join(dir, 'electron'),
    Buffer.concat([Buffer.from(`stub ${SENTINEL}`), header, states, Buffer.from('.')]),
  )
  chmodSync(join(dir, 'electron'), 0o755)
  for (const name of ['locales/en-US.pak', 'version', 'LICENSE', 'LICENSES.chromium.html']) {
    writeFileSync(join(dir, name), 'stub')
  }
}

/** What the packager set the fuses to; undefined for one it took away. */
export function readFuses(binary: string): Record<FuseName, boolean | undefined> {
  const bytes = readFileSync(binary)
  const at = bytes.indexOf(SENTINEL) + SENTINEL.length + 2
  const state = (index: number): boolean | undefined => {
    const byte = String.fromCharCode(bytes[at + index] ?? 0)
    return byte === '1' ? true : byte === '0' ? false : undefined
  }
  return Object.fromEntries(FUSES.map((name, index) => [name, state(index)])) as Record<FuseName, boolean | undefined>
}

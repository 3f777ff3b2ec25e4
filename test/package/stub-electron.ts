import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses'

/** Where Electron keeps its fuses in its binary, as @electron/fuses finds them. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
/** As many as Electron 45 has. */
const FUSES = 9

/** As much of an Electron distribution as the packager touches. It does not run. */
export function makeStubElectron(dir: string): void {
  mkdirSync(join(dir, 'locales'), { recursive: true })
  mkdirSync(join(dir, 'resources'))
  const header = Buffer.from([1, FUSES])
  const states = Buffer.alloc(FUSES, '1')
  writeFileSync(
    join(dir, 'electron'),
    Buffer.concat([Buffer.from(`stub ${SENTINEL}`), header, states, Buffer.from('.')]),
  )
  chmodSync(join(dir, 'electron'), 0o755)
  for (const name of ['locales/en-US.pak', 'version', 'LICENSE', 'LICENSES.chromium.html']) {
    writeFileSync(join(dir, name), 'stub')
  }
}

/** What the packager set the fuses to, by their names, as Electron's own tool reads them back; absent ones are unknown. */
export async function readFuses(binary: string): Promise<Record<string, boolean | undefined>> {
  const wire = await getCurrentFuseWire(binary)
  const states = wire as unknown as Record<number, number>
  const names = Object.keys(FuseV1Options).filter((name) => Number.isNaN(Number(name)))
  const stateOf = (name: string): string =>
    String.fromCharCode(states[FuseV1Options[name as keyof typeof FuseV1Options]] ?? 0)
  return Object.fromEntries(names.map((name) => [name, { '0': false, '1': true }[stateOf(name)]]))
}

// What a release consists of, as electron-builder.yml has it; the documents and the workflow are compared with it.
//   node .ci/packages.ts           prints the file of each package and each list of updates
//   node .ci/packages.ts --matrix  prints the jobs that build them, as a workflow's matrix (JSON)
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'

/** A system that packages are built for, by electron-builder's name of it. */
type System = 'linux' | 'mac' | 'win'
type Arch = 'x64' | 'arm64'

/** One package of a release. */
export interface ReleasePackage {
  system: System
  target: string
  arch: Arch
  /** Its file, with VERSION in place of the version. */
  file: string
}

interface Target {
  target: string
  arch: Arch[]
}

const root = resolve(import.meta.dirname, '..')

/** The machines that build, and the native of QUIC that `npm ci` does not install there: the other processor's. */
const BUILDERS: Record<System, { os: string; native?: string }> = {
  linux: { os: 'ubuntu-24.04', native: '@chainsafe/libp2p-quic-linux-arm64-gnu' },
  mac: { os: 'macos-15', native: '@chainsafe/libp2p-quic-darwin-x64' },
  win: { os: 'windows-2025' },
}
const SYSTEMS: readonly System[] = ['linux', 'mac', 'win']

/** The ends of file names that are not the target's name. */
const EXTENSIONS: Record<string, string> = { nsis: 'exe' }
/** What the systems of packages call the processors where that is not electron-builder's name. */
const ARCHES: Record<string, Partial<Record<Arch, string>>> = {
  AppImage: { x64: 'x86_64' },
  rpm: { x64: 'x86_64', arm64: 'aarch64' },
  deb: { x64: 'amd64' },
}

/** The packages of a release, in the order of electron-builder.yml. */
export function releasePackages(): ReleasePackage[] {
  const config = parse(readFileSync(resolve(root, 'electron-builder.yml'), 'utf8')) as Record<
    System,
    { target: Target[] }
  > & { artifactName: string }
  const { name } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { name: string }
  const fileOf = (system: System, target: string, arch: Arch): string => {
    const values: Record<string, string> = {
      ...{ name, version: 'VERSION', os: system, arch: ARCHES[target]?.[arch] ?? arch },
      ext: EXTENSIONS[target] ?? target,
    }
    return config.artifactName.replaceAll(/\$\{(\w+)\}/g, (_all, key: string) => values[key] ?? '')
  }
  return SYSTEMS.flatMap((system) =>
    config[system].target.flatMap(({ target, arch }) =>
      arch.map((one) => ({ system, target, arch: one, file: fileOf(system, target, one) })),
    ),
  )
}

/** The lists of updates beside the packages; the app of each system and processor asks for its own. */
export function updateLists(packages: readonly ReleasePackage[]): string[] {
  const lists = packages.flatMap(({ system, target, arch }) => {
    if (target === 'nsis') return ['latest.yml']
    if (target === 'zip') return ['latest-mac.yml']
    return target === 'AppImage' ? [`latest-${system}${arch === 'x64' ? '' : `-${arch}`}.yml`] : []
  })
  return [...new Set(lists)]
}

/** The jobs that build the packages: one for each system. */
export function buildMatrix(packages: readonly ReleasePackage[]): { os: string; target: System; native?: string }[] {
  const systems = new Set(packages.map(({ system }) => system))
  return SYSTEMS.filter((system) => systems.has(system)).map((system) => {
    const { os, native } = BUILDERS[system]
    const isForBoth = new Set(packages.flatMap((one) => (one.system === system ? [one.arch] : []))).size > 1
    return { os, target: system, ...(isForBoth && native !== undefined ? { native } : {}) }
  })
}

if (import.meta.main) {
  const packages = releasePackages()
  const lines =
    process.argv[2] === '--matrix'
      ? [JSON.stringify({ include: buildMatrix(packages) })]
      : [...packages.map(({ file }) => file), ...updateLists(packages)]
  process.stdout.write(`${lines.join('\n')}\n`)
}

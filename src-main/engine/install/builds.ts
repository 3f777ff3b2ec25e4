import type { EngineBackend, EngineInstall } from '#shared/contract/sharing/engine.js'
import { BUILD_PINS, LIBRARY_PINS, type Pin } from './pinned-packages.js'

/** The machine the engine is to run on. */
export interface EngineMachine {
  platform: NodeJS.Platform
  arch: string
  /** Names of its GPUs, as far as they are known. */
  gpus: readonly string[]
}

/** The engine's names of systems. */
const SYSTEMS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { linux: 'linux', darwin: 'mac', win32: 'win' }

/** The builds that each backend is made of; the processor's is always there, to fall back to. */
const BUILDS_OF: Readonly<Record<EngineBackend, (machine: string) => readonly string[]>> = {
  cpu: (machine) => [machine],
  vulkan: (machine) => [machine, `${machine}-vulkan`],
  cuda: (machine) => [machine, `${machine}-cuda`, `${machine}-cuda-ext`],
  // One build for both.
  metal: (machine) => [`${machine}-metal`],
}

/** The packages of a backend on a machine; undefined where there is no build for it. */
export function packagesFor(backend: EngineBackend, { platform, arch }: EngineMachine): readonly Pin[] | undefined {
  const system = SYSTEMS[platform]
  if (system === undefined) return undefined
  const builds = BUILDS_OF[backend](`${system}-${arch}`).map((name) => BUILD_PINS.get(name))
  const known = builds.filter((pin) => pin !== undefined)
  return known.length === builds.length ? [...LIBRARY_PINS, ...known] : undefined
}

/** What there is for a machine, the one that fits best first. */
export function offersFor(machine: EngineMachine): EngineInstall['offers'] {
  const order: EngineBackend[] =
    machine.gpus.length > 0 ? ['metal', 'vulkan', 'cuda', 'cpu'] : ['metal', 'cpu', 'vulkan', 'cuda']
  return order.flatMap((backend) => {
    const packages = packagesFor(backend, machine)
    return packages === undefined ? [] : [{ backend, downloadBytes: bytesOf(packages), packages: packages.length }]
  })
}

/** What is fetched for these packages. */
export function bytesOf(packages: readonly Pin[]): number {
  return packages.reduce((sum, [, , , bytes]) => sum + bytes, 0)
}

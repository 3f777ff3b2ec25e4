import { mkdir, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { ENGINE_BACKENDS, type EngineBackend, type EngineInstall } from '#shared/contract/sharing/engine.js'
import { AppError } from '#shared/errors.js'
import { readJsonFile, writeJsonFile } from '../../base/json-file.js'
import type { Service } from '../../base/lifecycle.js'
import { systemCodeOf } from '../../base/system-error.js'
import type { Log } from '../../logging/index.js'
import { bytesOf, type EngineMachine, offersFor, packagesFor } from './builds.js'
import { Downloads, InstallProblem } from './download.js'
import { ENGINE_VERSION, type Pin } from './pinned-packages.js'
import { unpackPackage } from './unpack.js'

export type { EngineMachine } from './builds.js'
export { findRegistry } from './registry.js'

/** The engine in the data folder. */
export interface Installer extends Service {
  /** Finds out where it would be fetched from; the state tells it then. */
  findSource(): Promise<void>
  state(): EngineInstall
  /** Where the engine is loaded from; undefined where it is not installed. */
  installed(): { library: string; backend: EngineBackend } | undefined
  /**
   * Starts to install, unless that is being done; from `registry` where it is given.
   * @throws AppError `unsupported_request` where there is no build
   */
  install(backend?: EngineBackend, registry?: string): void
  cancel(): void
  remove(): Promise<void>
  /** Resolves when nothing is being installed. */
  settled(): Promise<void>
}

/** Where the engine comes from and goes to. */
export interface InstallerOptions {
  /** `engine` in the data folder. */
  dir: string
  machine: () => EngineMachine
  /** The address of the registry; `named` is one the person gave for this time. */
  registry: (named?: string) => Promise<string>
  /** What is fetched for a backend; the pinned packages unless told. */
  packages?: (backend: EngineBackend, machine: EngineMachine) => readonly Pin[] | undefined
}

const MarkerSchema = z.object({ version: z.string(), backend: z.enum(ENGINE_BACKENDS), sizeBytes: z.number() })
type Marker = z.output<typeof MarkerSchema>

/** What is to be installed, and from where. */
interface Wanted {
  backend: EngineBackend
  pins: readonly Pin[]
  registry: string | undefined
}

/** Packages that are fetched at once: most of them are tiny. */
const AT_ONCE = 4
/** Packed files, what is in them, and room to breathe. */
const SPACE_FACTOR = 4

/** Installs the engine, and removes it. Nothing of it is used before all of it is there. */
export function createInstaller(needs: { log: Log; changed: () => void }, options: InstallerOptions): Installer {
  const log = needs.log.forComponent('engine')
  const { dir, machine, packages = packagesFor } = options
  const markerFile = join(dir, 'installed.json')
  const programDir = join(dir, 'program')
  const draftDir = join(dir, 'program.draft')
  const downloadsDir = join(dir, 'downloads')
  let marker: Marker | undefined
  let source = ''
  let isSourceAsked = false
  let problem: string | null = null
  let running: { backend: EngineBackend; abort: AbortController; ended: Promise<void> } | undefined
  let doneBytes = 0
  let totalBytes = 0

  /** Whose host is asked is shown before anything is fetched; npm is only asked once somebody looks. */
  async function findSource(): Promise<void> {
    if (isSourceAsked) return
    isSourceAsked = true
    try {
      source = new URL(await options.registry()).host
      needs.changed()
    } catch (error) {
      log.debug('no package registry is known', { error })
    }
  }

  function state(): EngineInstall {
    void findSource()
    const offers = offersFor(machine())
    const installed = marker === undefined ? 'missing' : 'installed'
    return {
      state: running !== undefined ? 'installing' : offers.length === 0 ? 'unsupported' : installed,
      version: ENGINE_VERSION,
      backend: running?.backend ?? marker?.backend ?? null,
      ...{ offers, source, doneBytes, totalBytes, problem },
      sizeBytes: marker?.sizeBytes ?? null,
    }
  }

  async function run({ backend, pins, registry: named }: Wanted, signal: AbortSignal): Promise<void> {
    const registry = await options.registry(named)
    source = new URL(registry).host
    doneBytes = 0
    totalBytes = bytesOf(pins)
    needs.changed()
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await rm(draftDir, { recursive: true, force: true })
    const downloads = new Downloads(registry, downloadsDir)
    const { bavail, bsize } = await statfs(dir)
    const needBytes = totalBytes * SPACE_FACTOR - (await downloads.haveBytes(pins))
    if (bavail * bsize < needBytes) throw new InstallProblem(noRoom(needBytes))
    let sizeBytes = 0
    try {
      await eachAtOnce(pins, signal, async (pin, going) => {
        const packed = await downloads.fetch(pin, count, going)
        sizeBytes += await unpackPackage(packed, join(draftDir, 'node_modules', pin[0]), going)
      })
    } finally {
      await downloads.close()
    }
    await forget()
    try {
      await rename(draftDir, programDir)
      const installed = { version: ENGINE_VERSION, backend, sizeBytes }
      await writeJsonFile(markerFile, installed)
      marker = installed
    } catch (error) {
      // Without its marker nothing would ever use it, or take it away.
      await forget()
      throw error
    }
    await rm(downloadsDir, { recursive: true, force: true })
    log.info('the engine is installed', { backend, version: ENGINE_VERSION })
  }

  let toldPercent = -1
  function count(bytes: number): void {
    doneBytes += bytes
    const percent = Math.floor((doneBytes / totalBytes) * 100)
    if (percent === toldPercent) return
    toldPercent = percent
    needs.changed()
  }

  async function forget(): Promise<void> {
    marker = undefined
    await rm(markerFile, { force: true })
    await rm(programDir, { recursive: true, force: true })
  }

  async function attempt(wanted: Wanted, signal: AbortSignal): Promise<void> {
    try {
      await run(wanted, signal)
    } catch (error) {
      await rm(draftDir, { recursive: true, force: true })
      problem = signal.aborted ? null : wordsOf(error)
      if (problem === INTERNAL) log.error('the engine could not be installed', { error })
    } finally {
      running = undefined
      needs.changed()
    }
  }

  return {
    name: 'engine-installer',
    state,
    findSource,
    installed() {
      if (marker === undefined) return undefined
      const entry = join(programDir, 'node_modules', 'node-llama-cpp', 'dist', 'index.js')
      return { library: pathToFileURL(entry).href, backend: marker.backend }
    },
    install(wanted, registry) {
      if (running !== undefined) return
      const backend = wanted ?? offersFor(machine())[0]?.backend
      const pins = backend === undefined ? undefined : packages(backend, machine())
      if (backend === undefined || pins === undefined) {
        throw new AppError('unsupported_request', 'There is no build of the engine for this machine.')
      }
      problem = null
      const abort = new AbortController()
      running = { backend, abort, ended: Promise.resolve() }
      running.ended = attempt({ backend, pins, registry }, abort.signal)
      needs.changed()
    },
    cancel: () => running?.abort.abort(new Error('called off')),
    async settled() {
      await running?.ended
    },
    async remove() {
      running?.abort.abort(new Error('called off'))
      await running?.ended
      await forget()
      await rm(downloadsDir, { recursive: true, force: true })
      needs.changed()
    },
    async start(signal) {
      signal.throwIfAborted()
      const kept = await readJsonFile(markerFile, MarkerSchema)
      if (kept.kind === 'read' && kept.value.version === ENGINE_VERSION) marker = kept.value
      // An older version, or what was being put in place when this program ended: whoever wants it fetches it anew.
      else await forget()
      await rm(draftDir, { recursive: true, force: true })
    },
    async stop() {
      running?.abort.abort(new Error('the node stops'))
      await running?.ended
    },
  }
}

const INTERNAL = 'It could not be installed; the log says why.'

function noRoom(bytes: number): string {
  return `The disk is too full: the engine needs ${Math.ceil(bytes / 1e6)} MB while it is installed.`
}

function wordsOf(error: unknown): string {
  if (error instanceof InstallProblem || error instanceof AppError) return error.message
  const code = systemCodeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return 'The disk is full. What has come is kept; free some space and try again.'
  if (code === 'EACCES' || code === 'EROFS') return 'The data folder can’t be written to.'
  return INTERNAL
}

/** Works on a few of them at once. The first that fails stops the others, and nothing of them goes on afterwards. */
async function eachAtOnce<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T, going: AbortSignal) => Promise<void>,
): Promise<void> {
  const left = items.values()
  const failed = new AbortController()
  const going = AbortSignal.any([signal, failed.signal])
  const runner = async (): Promise<void> => {
    try {
      for (const item of left) {
        going.throwIfAborted()
        await work(item, going)
      }
    } catch (error) {
      failed.abort(error)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, runner))
  failed.signal.throwIfAborted()
}

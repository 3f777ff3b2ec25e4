import { homedir } from 'node:os'
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import { DiskModelSchema, type DiskModel, type DiskScan } from '#shared/contract/sharing/disk-models.js'
import type { Clock } from '../base/clock.js'
import { readJsonFile, writeJsonFile } from '../base/json-file.js'
import type { Service } from '../base/lifecycle.js'
import { Listeners } from '../base/listeners.js'
import { systemCodeOf } from '../base/system-error.js'
import type { Log } from '../logging/index.js'
import { PLACES, type FoundFile, type PlacesOptions } from './places/index.js'
import { isLaterPart, OneModelOnce, readModel, type ReadModel } from './read-models.js'

/** The models on this machine's disks. Only reads where they lie; keeps what it found in the data folder. */
export interface DiskModels extends Service {
  state(): DiskScan
  /** Starts a scan, unless one runs. */
  scan(): void
  /** Ends a scan; the models known before stay. */
  cancel(): void
  /** Resolves when no scan runs. */
  settled(): Promise<void>
  /** Reads one file, whether a scan found it or not. Undefined where it holds no model of its own. */
  readFile(path: string): Promise<ReadModel | undefined>
  subscribe(listener: () => void): () => void
}

/** Where the scan looks, and what it is kept in. */
export interface DiskModelsOptions {
  /** `engine/found.json` in the data folder. */
  file: string
  /** The person's, read at each scan. */
  folders: () => readonly string[]
  /** Where programs keep their models: this machine's own unless told. */
  places?: Omit<PlacesOptions, 'folders'>
}

/** Entries of folders that a scan looks at; a home folder has no more in those that are searched. */
const MAX_ENTRIES = 200_000
const MAX_MODELS = 1000

const FoundSchema = z.object({ finishedAtMs: z.number(), models: z.array(DiskModelSchema).max(MAX_MODELS) })

/** A scanner of the disks; it scans when it is asked to, never by itself. */
export function createDiskModels(needs: { clock: Clock; log: Log }, options: DiskModelsOptions): DiskModels {
  const log = needs.log.forComponent('disk-models')
  const listeners = new Listeners()
  let running: { ended: Promise<void>; abort: AbortController } | undefined
  let state: DiskScan = { scanning: false, seen: 0, read: 0, finishedAtMs: null, models: [], problem: null }

  function change(fields: Partial<DiskScan>): void {
    state = { ...state, ...fields }
    listeners.notify()
  }

  async function search(signal: AbortSignal): Promise<void> {
    const places = options.places ?? { home: homedir(), platform: process.platform, env: process.env }
    let seen = 0
    const bounds = {
      signal,
      seen() {
        seen += 1
        if (seen > MAX_ENTRIES) throw new TooMuch()
        if (seen % 500 === 0) change({ seen })
      },
    }
    const models: ReadModel[] = []
    const once = new OneModelOnce()
    const projectors = new Map<string, string>()
    for (const place of PLACES) {
      for await (const found of place({ ...places, folders: options.folders() }, bounds)) {
        signal.throwIfAborted()
        if (models.length >= MAX_MODELS) throw new TooMuch()
        await take(found, { models, once, projectors })
        change({ seen, read: models.length })
      }
    }
    for (const { view } of models) {
      const folder = dirname(view.places[0]?.path ?? '')
      if (projectors.has(folder)) view.projector = true
    }
    const found = { finishedAtMs: needs.clock.now(), models: named(models.map(({ view }) => view)) }
    const problem = await keep(found)
    change({ ...found, scanning: false, seen, problem })
  }

  /** For the next start. What was found is shown whether it can be kept or not. */
  async function keep(found: object): Promise<string | null> {
    try {
      await writeJsonFile(options.file, found)
      return null
    } catch (error) {
      const code = systemCodeOf(error)
      if (code === undefined) throw error
      log.warn('what was found on the disks could not be kept', { code })
      return `What was found can’t be kept for the next start (${code}).`
    }
  }

  async function take(
    found: FoundFile,
    all: { models: ReadModel[]; once: OneModelOnce; projectors: Map<string, string> },
  ): Promise<void> {
    if (isLaterPart(found.path)) return
    try {
      if (await all.once.known(found)) return
      const model = await readModel(found)
      if (model === undefined) {
        if (found.app !== 'ollama') all.projectors.set(dirname(found.path), basename(found.path))
        return
      }
      all.models.push(model)
      await all.once.add(found, model)
    } catch (error) {
      // A file that goes while it is looked at, or can't be read at all.
      if (systemCodeOf(error) === undefined) throw error
      log.debug('a model file is passed over', { code: systemCodeOf(error) })
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    try {
      await search(signal)
    } catch (error) {
      const problem = signal.aborted ? null : problemOf(error)
      if (problem === INTERNAL) log.error('the scan of the disks failed', { error })
      change({ scanning: false, problem })
    } finally {
      running = undefined
    }
  }

  return {
    name: 'disk-models',
    state: () => state,
    scan() {
      if (running !== undefined) return
      const abort = new AbortController()
      change({ scanning: true, seen: 0, read: 0, problem: null })
      running = { abort, ended: run(abort.signal) }
    },
    cancel: () => running?.abort.abort(),
    async settled() {
      await running?.ended
    },
    readFile: (path) => readModel({ app: 'folder', path, name: undefined, digest: undefined }),
    subscribe: (listener) => listeners.add(listener),
    async start(signal) {
      signal.throwIfAborted()
      const kept = await readJsonFile(options.file, FoundSchema)
      if (kept.kind === 'read') change(kept.value)
    },
    async stop() {
      running?.abort.abort()
      await running?.ended
    },
  }
}

class TooMuch extends Error {}

const INTERNAL = 'The scan failed; the log says why.'

function problemOf(error: unknown): string {
  if (error instanceof TooMuch) return 'There are too many files to look at. Name the folders with models in Settings.'
  const code = systemCodeOf(error)
  return code === undefined ? INTERNAL : `The scan ended early (${code}).`
}

/** Two different models of one name are told apart by a number. */
function named(models: DiskModel[]): DiskModel[] {
  const taken = new Set<string>()
  for (const model of models) {
    const { name } = model
    for (let count = 2; taken.has(model.name); count += 1) model.name = `${name}-${count}`
    taken.add(model.name)
  }
  return models
}

import { createHash } from 'node:crypto'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { DiskModel } from '#shared/contract/sharing/disk-models.js'
import { isPublishable } from '#shared/model-names.js'
import { systemCodeOf } from '../base/system-error.js'
import { BrokenFile } from './gguf/byte-source.js'
import { factsOfHeader, type ModelFileFacts } from './gguf/facts.js'
import { readGgufHeader } from './gguf/header.js'
import { isFile, type FoundFile } from './places/index.js'
import { fingerprintOf } from './same-file.js'

/** A model as it was found, with what only this program needs. */
export interface ReadModel {
  view: DiskModel
  facts: ModelFileFacts | undefined
  /** Where a file that gives it eyes lies. */
  projector: string | undefined
}

/** `name-00001-of-00003.gguf` */
const SPLIT = /^(?<stem>.+)-(?<part>\d{5})-of-(?<of>\d{5})\.gguf$/i
/** More parts than any model has. */
const MAX_PARTS = 512

/** The later parts of a split file: the first one stands for all of them. */
export function isLaterPart(path: string): boolean {
  const part = SPLIT.exec(basename(path))?.groups?.['part']
  return part !== undefined && Number(part) !== 1
}

/** A file with all its parts, before its header is read. */
interface WholeFile {
  paths: string[]
  sizeBytes: number
  missing: number
}

async function wholeOf(path: string): Promise<WholeFile> {
  const { stem, of } = SPLIT.exec(basename(path))?.groups ?? {}
  const count = Math.min(Number(of ?? 1), MAX_PARTS)
  const name = (part: number): string =>
    stem === undefined ? path : join(dirname(path), `${stem}-${String(part).padStart(5, '0')}-of-${of ?? ''}.gguf`)
  const whole: WholeFile = { paths: [], sizeBytes: 0, missing: 0 }
  for (let part = 1; part <= count; part += 1) {
    if (!(await isFile(name(part)))) whole.missing += 1
    else {
      whole.paths.push(name(part))
      whole.sizeBytes += (await stat(name(part))).size
    }
  }
  return whole
}

/** Reads what a found file is. Undefined for what is no model of its own: projectors, adapters. */
export async function readModel(found: FoundFile): Promise<ReadModel | undefined> {
  const whole = await wholeOf(found.path)
  const { facts, problem } = await factsOf(whole, found.path)
  if (facts !== undefined && facts.role !== 'model') return undefined
  const name = nameOf(found)
  return {
    facts,
    projector: found.projector,
    view: {
      id: idOf(found.path),
      name,
      places: [{ app: found.app, path: found.path }],
      architecture: facts?.architecture ?? 'unknown',
      parameters: facts === undefined ? null : countOf(facts.weights),
      contextLength: facts?.contextTokens ?? null,
      quantisation: facts?.quantisation ?? quantisationIn(name),
      sizeBytes: whole.sizeBytes,
      files: whole.paths.length,
      hasChatTemplate: facts?.hasChatTemplate ?? false,
      embedding: facts?.isEmbedding ?? false,
      projector: found.projector !== undefined,
      problem: problem ?? (isPublishable(name) ? null : 'Its name can’t be used in requests. Rename the file.'),
    },
  }
}

/** The id a file at that path gets. */
function idOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16)
}

async function factsOf(
  { paths, missing }: WholeFile,
  path: string,
): Promise<{ facts?: ModelFileFacts; problem?: string }> {
  if (missing > 0) return { problem: `${missing} of its ${missing + paths.length} files are missing.` }
  try {
    const [first, ...others] = paths
    const facts = factsOfHeader(await readGgufHeader(first ?? path))
    for (const other of others) facts.weights += (await readGgufHeader(other)).weights
    if (facts.weights === 0 || (facts.role === 'model' && facts.architecture === 'unknown')) {
      return { problem: 'It holds no model.' }
    }
    return { facts }
  } catch (error) {
    if (error instanceof BrokenFile) return { problem: `It can’t be read: ${error.message}.` }
    const code = systemCodeOf(error)
    if (code === 'EACCES' || code === 'EPERM') return { problem: 'This account may not read it.' }
    if (code === 'ENOENT') return { problem: 'It was taken away meanwhile.' }
    throw error
  }
}

/** What requests call it: as the program it came from does, else the name of its file. */
function nameOf({ name, path }: FoundFile): string {
  return name ?? basename(path).replace(/-\d{5}-of-\d{5}\.gguf$|\.gguf$/i, '')
}

function quantisationIn(name: string): string | null {
  return /(?:^|[.-])((?:IQ|Q|TQ)\d(?:_[A-Z\d]+)*|BF16|F16|F32|MXFP4)$/i.exec(name)?.[1]?.toUpperCase() ?? null
}

/** `8.0B`, `361M` */
function countOf(weights: number): string {
  if (weights >= 1e9) return `${(weights / 1e9).toFixed(1)}B`
  return weights >= 1e6 ? `${Math.round(weights / 1e6)}M` : `${Math.round(weights / 1e3)}K`
}

/** Puts the places of one model together: the same file behind links, one digest, or one fingerprint. */
export class OneModelOnce {
  readonly #byDigest = new Map<string, ReadModel>()
  readonly #byReal = new Map<string, ReadModel>()
  readonly #bySize = new Map<number, { model: ReadModel; path: string; fingerprint?: string }[]>()

  /** The known model whose file this is, where it was there before; it has this place as well from now on. */
  async known(found: FoundFile): Promise<boolean> {
    const before =
      (found.digest === undefined ? undefined : this.#byDigest.get(found.digest)) ??
      this.#byReal.get(await realpath(found.path)) ??
      (await this.#copyOf(found.path))
    if (before === undefined) return false
    if (before.view.places.every(({ path }) => path !== found.path)) {
      before.view.places.push({ app: found.app, path: found.path })
    }
    return true
  }

  /** Notes a model that was not known. */
  async add(found: FoundFile, model: ReadModel): Promise<void> {
    if (found.digest !== undefined) this.#byDigest.set(found.digest, model)
    this.#byReal.set(await realpath(found.path), model)
    const { size } = await stat(found.path)
    this.#bySize.set(size, [...(this.#bySize.get(size) ?? []), { model, path: found.path }])
  }

  async #copyOf(path: string): Promise<ReadModel | undefined> {
    const { size } = await stat(path)
    const others = this.#bySize.get(size) ?? []
    if (others.length === 0) return undefined
    const fingerprint = await fingerprintOf(path, size)
    for (const other of others) {
      other.fingerprint ??= await fingerprintOf(other.path, size)
      if (other.fingerprint === fingerprint) return other.model
    }
    return undefined
  }
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { EnvHttpProxyAgent, request, type Dispatcher } from 'undici'
import { systemCodeOf } from '../../base/system-error.js'
import type { Pin } from './pinned-packages.js'

/** Why the engine could not be fetched, in words for a person. */
export class InstallProblem extends Error {
  override readonly name = 'InstallProblem'
}

/** A registry that says nothing for so long is gone. */
const SILENT_MS = 30_000
const TRIES = 3

/**
 * Fetches packed packages into a folder. What has come of one stays there, and the next try goes on behind it; nothing is
 * taken for whole before its hash is the pinned one.
 */
export class Downloads {
  readonly #registry: string
  readonly #dir: string
  readonly #agent: Dispatcher

  constructor(registry: string, dir: string) {
    this.#registry = registry
    this.#dir = dir
    this.#agent = new EnvHttpProxyAgent({
      bodyTimeout: SILENT_MS,
      headersTimeout: SILENT_MS,
      connectTimeout: SILENT_MS,
    })
  }

  /** The whole file of a package. `onBytes` hears of bytes that have come, or were there before. */
  async fetch(pin: Pin, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<string> {
    const path = this.pathOf(pin)
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    if ((await sizeOf(path)) === pin[3] && (await isWhole(path, pin))) {
      onBytes(pin[3])
      return path
    }
    for (let tried = 1; ; tried += 1) {
      try {
        await this.#fetchRest(pin, onBytes, signal)
        break
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof InstallProblem) throw error
        if (!isConnectionTrouble(error)) throw error
        if (tried >= TRIES) throw new InstallProblem(troubleOf(error, this.#registry), { cause: error })
      }
    }
    const part = `${path}.part`
    if (!(await isWhole(part, pin))) {
      await rm(part, { force: true })
      throw new InstallProblem(
        `${nameOf(pin)} is not what it should be: its hash is another one. Nothing of it was kept.`,
      )
    }
    await rename(part, path)
    return path
  }

  /** Bytes of these packages that have come before. */
  async haveBytes(pins: readonly Pin[]): Promise<number> {
    let bytes = 0
    for (const pin of pins) {
      const path = this.pathOf(pin)
      bytes += Math.min(pin[3], (await sizeOf(path)) + (await sizeOf(`${path}.part`)))
    }
    return bytes
  }

  /** Closes connections that are kept. */
  async close(): Promise<void> {
    await this.#agent.close()
  }

  /** Where a package lies once it is whole. */
  pathOf([folder, version]: Pin): string {
    return join(this.#dir, `${folder.replaceAll(/[^\w.-]/g, '_')}-${version}.tgz`)
  }

  async #fetchRest(pin: Pin, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    const part = `${this.pathOf(pin)}.part`
    const [, , , bytes] = pin
    const had = Math.min(await sizeOf(part), bytes)
    if (had === bytes) return
    const { statusCode, body } = await request(urlOf(this.#registry, pin), {
      dispatcher: this.#agent,
      signal,
      headers: had > 0 ? { range: `bytes=${had}-` } : {},
    })
    if (statusCode !== 200 && statusCode !== 206) {
      await body.dump({ limit: 64 * 1024 })
      throw new InstallProblem(`The registry has no ${nameOf(pin)} (it answers ${statusCode}).`)
    }
    const start = statusCode === 206 ? had : 0
    onBytes(start)
    const file = await open(part, start === 0 ? 'w' : 'a', 0o600)
    let at = start
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (at + chunk.length > bytes) throw new InstallProblem(`${nameOf(pin)} is longer than it should be.`)
        await file.writeFile(chunk)
        at += chunk.length
        onBytes(chunk.length)
      }
    } catch (error) {
      onBytes(-at)
      throw error
    } finally {
      await file.close()
    }
    if (at < bytes) {
      onBytes(-at)
      throw new CutShort()
    }
  }
}

class CutShort extends Error {}

/** npm's own form of such addresses. */
function urlOf(registry: string, pin: Pin): string {
  const name = nameOf(pin)
  return `${registry}/${name}/-/${name.slice(name.lastIndexOf('/') + 1)}-${pin[1]}.tgz`
}

/** The name of a package from the folder it lies in. */
function nameOf([folder]: Pin): string {
  return folder.slice(
    folder.lastIndexOf('node_modules/') === -1 ? 0 : folder.lastIndexOf('node_modules/') + 'node_modules/'.length,
  )
}

async function isWhole(path: string, [, , integrity]: Pin): Promise<boolean> {
  const hash = createHash('sha512')
  await pipeline(createReadStream(path), hash)
  return `sha512-${hash.digest('base64')}` === integrity
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return 0
    throw error
  }
}

/** Anything on the way to the registry; not the disk. */
function isConnectionTrouble(error: unknown): boolean {
  if (error instanceof CutShort) return true
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return (
    code.startsWith('UND_ERR') ||
    /^(?:ECONN|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|EPIPE|CERT|DEPTH|UNABLE|SELF)/.test(code)
  )
}

function troubleOf(error: unknown, registry: string): string {
  const host = new URL(registry).host
  if (error instanceof CutShort) return `${host} broke off again and again. What has come is kept; try again later.`
  return `${host} can’t be reached. Is this computer online? What has come is kept for the next try.`
}

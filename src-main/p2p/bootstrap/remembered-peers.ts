import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Log } from '../../logging/index.js'

/** Peers that were good, by peer id; the latest ones are kept across restarts. */
export interface RememberedPeers {
  /** Addresses with `/p2p/…`, of the peer met last first. */
  addresses(): string[]
  /** A connection to this address has worked. */
  remember(peerId: string, address: string): void
  /** These addresses lead to somebody else by now. */
  forget(addresses: readonly string[]): void
  /** All but those that are to be kept; they are not remembered again before the next start. */
  forgetAll(isKept: (peerId: string) => boolean): void
  load(): Promise<void>
  /** Writes the file when something changed since the last time. */
  save(): Promise<void>
}

const MAX_PEERS = 50
const MAX_ADDRESSES_PER_PEER = 4

const FileSchema = z.object({
  peers: z
    .array(z.object({ id: z.string().max(128), addresses: z.array(z.string().max(512)).max(MAX_ADDRESSES_PER_PEER) }))
    .max(MAX_PEERS),
})

/** Keeps them in `options.file`; a file that is missing or broken means none. */
export function createRememberedPeers(needs: { log: Log }, options: { file: string }): RememberedPeers {
  const { log } = needs
  // In the order they were met, the latest one last.
  const peers = new Map<string, string[]>()
  /** Others may bring a connection to them about again, such as by their rows of the node table. */
  const left = new Set<string>()
  let changed = false
  return {
    addresses: () => [...peers.values()].reverse().flat(),
    remember(peerId, address) {
      if (left.has(peerId)) return
      const known = peers.get(peerId) ?? []
      peers.delete(peerId)
      peers.set(peerId, [address, ...known.filter((other) => other !== address)].slice(0, MAX_ADDRESSES_PER_PEER))
      const [oldest] = peers.keys()
      if (peers.size > MAX_PEERS && oldest !== undefined) peers.delete(oldest)
      changed = true
    },
    forget(addresses) {
      for (const [id, known] of peers) {
        const left = known.filter((address) => !addresses.includes(address))
        if (left.length === known.length) continue
        if (left.length === 0) peers.delete(id)
        else peers.set(id, left)
        changed = true
      }
    },
    forgetAll(isKept) {
      for (const id of peers.keys()) {
        if (isKept(id)) continue
        left.add(id)
        peers.delete(id)
        changed = true
      }
    },
    async load() {
      const text = await readIfThere(options.file, log)
      if (text === undefined) return
      const file = FileSchema.safeParse(parseJson(text))
      if (!file.success) {
        log.warn('the remembered peers cannot be read and are forgotten', { file: options.file })
        return
      }
      for (const { id, addresses } of file.data.peers) peers.set(id, addresses)
    },
    async save() {
      if (!changed) return
      changed = false
      const list = [...peers].map(([id, addresses]) => ({ id, addresses }))
      const temporary = `${options.file}.${process.pid}`
      try {
        await writeFile(temporary, JSON.stringify({ peers: list }), { mode: 0o600, flush: true })
        await rename(temporary, options.file)
      } catch (error) {
        log.warn('the good peers of this run could not be remembered', { file: options.file, error })
      }
    },
  }
}

async function readIfThere(file: string, log: Log): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!missing) log.warn('the remembered peers cannot be read and are forgotten', { file, error })
    return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

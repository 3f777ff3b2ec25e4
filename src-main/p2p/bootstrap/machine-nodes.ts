import { constants, existsSync } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import { hostOf, scopeOf } from '../dial/ip-scope.js'
import type { Host } from '../index.js'

/** The nodes of this user that run on this machine. While it is started, this node is one of them. */
export interface MachineNodes extends Service {
  /** Loopback addresses of the others, each with `/p2p/…`. Never rejects. */
  addresses(): Promise<string[]>
}

const MAX_FILES = 64
const MAX_FILE_BYTES = 4_096
const MAX_ADDRESSES = 8
/** Read and write for other users, and execute. */
const OTHERS_MODE = 0o077

const EntrySchema = z.strictObject({
  peerId: z.string().max(128),
  pid: z.number().int().positive(),
  multiaddrs: z.array(z.string().max(256)).max(MAX_ADDRESSES),
})

/**
 * A folder with one file a running node, for this user alone. What stands there is checked like a stranger's word:
 * files of others, links, large files and addresses that leave this machine are passed over.
 */
export function createMachineNodes(
  needs: { host: Pick<Host, 'peerId' | 'reach'>; log: Log },
  options: { dir: string },
): MachineNodes {
  const { host, log } = needs
  const { dir } = options
  const own = join(dir, `${host.peerId}.json`)

  async function announce(): Promise<void> {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await assertPrivate(dir)
    const multiaddrs = (host.reach?.().listening ?? [])
      .map((address) => `${address.replace(/\/p2p\/[^/]+$/, '')}/p2p/${host.peerId}`)
      .filter((address) => isLoopback(address, host.peerId))
      .slice(0, MAX_ADDRESSES)
    const temporary = join(dir, `${host.peerId}.${process.pid}`)
    await writeFile(temporary, JSON.stringify({ peerId: host.peerId, pid: process.pid, multiaddrs }), { mode: 0o600 })
    await rename(temporary, own)
  }

  async function addressesIn(name: string): Promise<string[]> {
    const entry = await readEntry(join(dir, name))
    if (entry === undefined || name !== `${entry.peerId}.json` || entry.peerId === host.peerId) return []
    if (!isRunning(entry.pid)) {
      await rm(join(dir, name), { force: true })
      return []
    }
    return entry.multiaddrs.filter((address) => isLoopback(address, entry.peerId))
  }

  return {
    name: 'machine-nodes',
    async addresses() {
      try {
        await assertPrivate(dir)
        const names = (await readdir(dir)).filter((name) => name.endsWith('.json')).slice(0, MAX_FILES)
        return (await Promise.all(names.map(addressesIn))).flat()
      } catch (error) {
        log.debug('the nodes of this machine could not be listed', { dir, error })
        return []
      }
    },
    async start() {
      // A node does without it; only nodes in the mode local read it.
      await announce().catch((error: unknown) =>
        log.debug('other nodes of this machine do not see this one', { error }),
      )
    },
    async stop() {
      await rm(own, { force: true }).catch(() => undefined)
    },
  }
}

/** The folder for {@link createMachineNodes}, the same for every program this user runs. */
export function machineNodesDir(): string {
  const uid = process.getuid?.()
  // Set by a login session; a service or `su` may lack the variable and still have the folder.
  const session = process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid ?? ''}`
  if (uid !== undefined && existsSync(session)) return join(session, 'ocf-nodes')
  return join(tmpdir(), uid === undefined ? 'ocf-nodes' : `ocf-nodes-${uid}`)
}

/** The processes of this user's running nodes; none where the folder can't be trusted. */
export async function machineNodePids(dir = machineNodesDir()): Promise<ReadonlySet<number>> {
  try {
    await assertPrivate(dir)
    const names = (await readdir(dir)).filter((name) => name.endsWith('.json')).slice(0, MAX_FILES)
    const entries = await Promise.all(names.map((name) => readEntry(join(dir, name))))
    return new Set(entries.flatMap((entry) => (entry !== undefined && isRunning(entry.pid) ? [entry.pid] : [])))
  } catch {
    return new Set()
  }
}

async function assertPrivate(dir: string): Promise<void> {
  const stats = await lstat(dir)
  const uid = process.getuid?.()
  const isOurs = uid === undefined || (stats.uid === uid && (stats.mode & OTHERS_MODE) === 0)
  if (!stats.isDirectory() || !isOurs) throw new Error(`${dir} is not a folder of this user alone`)
}

async function readEntry(file: string): Promise<z.infer<typeof EntrySchema> | undefined> {
  try {
    // Not through a link, and not waiting for the other end of a pipe. Windows has neither flag, nor other users here.
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stats = await handle.stat()
      const uid = process.getuid?.()
      if (!stats.isFile() || stats.size > MAX_FILE_BYTES || (uid !== undefined && stats.uid !== uid)) return undefined
      const bytes = Buffer.alloc(MAX_FILE_BYTES)
      const { bytesRead } = await handle.read(bytes, 0, MAX_FILE_BYTES, 0)
      return EntrySchema.parse(JSON.parse(bytes.toString('utf8', 0, bytesRead)))
    } finally {
      await handle.close()
    }
  } catch {
    return undefined
  }
}

/** Whether it is an address of that peer on this machine, such as `/ip4/127.0.0.1/tcp/43905/p2p/…`. */
function isLoopback(address: string, peerId: string): boolean {
  const [path, peer] = address.split('/p2p/')
  if (peer !== peerId || !/^\/ip[46]\/[^/]+\/(tcp\/\d+(\/ws)?|udp\/\d+\/quic-v1)$/.test(path ?? '')) return false
  try {
    return scopeOf(hostOf(multiaddr(address).toString())) === 'loopback'
  } catch {
    return false
  }
}

/** A pid that another program has by now costs no more than a dial that fails. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

import { readdirSync, readFileSync } from 'node:fs'

/** Files and sockets of this process: each takes a descriptor. */
export interface OpenFiles {
  /** How many it may have; undefined where there is no limit, or none that can be read (Windows). */
  limit: number | undefined
  /** How many it has; undefined where the system does not tell. */
  inUse: number | undefined
}

/** What each part of a node may open of what is not kept for its own files. */
export interface OpenFileShares {
  /** Connections of apps at the gateway. */
  gateway: number
  /** Connections of the gateway to servers of this machine, for each of them. */
  servers: number
  /** Connections of the dashboard and of the command line. */
  control: number
  /** Connections with other nodes. */
  peers: number
  /** Connections of other nodes that are not set up yet. */
  handshakes: number
  /** Dials under way. */
  dials: number
}

/** What is opened after the shares were made: databases, logs, listeners, pipes of helper programs, libraries. */
const OWN_FILES = 48
/** For what comes and goes: files of the dashboard, the log's rotation, name look-ups; one in so many. */
const SPARE_PART = 16

/** Parts of the rest. Each request of an app may need two: its own connection and one to the server. */
const PARTS: OpenFileShares = { gateway: 0.2, servers: 0.2, control: 0.1, peers: 0.3, handshakes: 0.1, dials: 0.1 }
/** With fewer nothing works; if the limit does not allow even these, running out of descriptors is survived. */
const LEAST: OpenFileShares = { gateway: 8, servers: 8, control: 4, peers: 8, handshakes: 4, dials: 4 }
/** What a node can use however many descriptors there are: each connection also costs memory. */
const MOST: OpenFileShares = {
  gateway: 10_000,
  servers: 2_048,
  control: 256,
  peers: 2_000,
  handshakes: 1_024,
  dials: 100,
}

let known: { limit: number | undefined } | undefined

/** Reads both. The limit is read once: Node raises it as far as it may before any of our code runs. */
export function readOpenFiles(): OpenFiles {
  known ??= { limit: readLimit() }
  const { limit } = known
  return { limit, inUse: countInUse(limit) }
}

/** Divides the limit among the parts of a node, so that together they stay below it. */
export function shareOpenFiles({ limit, inUse = 0 }: OpenFiles): OpenFileShares {
  const free = limit === undefined ? Number.POSITIVE_INFINITY : limit - inUse - OWN_FILES - limit / SPARE_PART
  const share = (part: keyof OpenFileShares): number =>
    Math.min(MOST[part], Math.max(LEAST[part], Math.floor(free * PARTS[part])))
  return {
    gateway: share('gateway'),
    servers: share('servers'),
    control: share('control'),
    peers: share('peers'),
    handshakes: share('handshakes'),
    dials: share('dials'),
  }
}

function readLimit(): number | undefined {
  if (process.platform === 'win32') return undefined
  if (process.platform === 'linux') {
    try {
      const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
      return numberOf(soft)
    } catch {
      // No /proc: the report below knows it too, at the price of some milliseconds.
    }
  }
  // Names of remote hosts would be looked up for it. Newer than Node's types.
  Object.assign(process.report, { excludeNetwork: true })
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } }
  return numberOf(report.userLimits?.open_files?.soft)
}

function numberOf(text: unknown): number | undefined {
  const number = Number(text)
  return Number.isInteger(number) && number > 0 ? number : undefined
}

function countInUse(limit: number | undefined): number | undefined {
  if (process.platform === 'win32') return undefined
  try {
    // One of them is open for this very list.
    return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length - 1
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EMFILE' ? limit : undefined
  }
}

import { access, constants, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import type { Check } from '#shared/contract/node/doctor.js'
import { dayTimeText } from '#shared/figures.js'
import { findPortHolder } from '../config/index.js'
import {
  type BootstrapSourceStatus,
  machineNodePids,
  oddEntries,
  parseBootstrapSettings,
  type RawBootstrapSetting,
  resolveSource,
} from '../p2p/bootstrap/index.js'
import { bindError, type NetworkMode } from '../p2p/index.js'
import { readOpenFiles, shareOpenFiles } from '../services/machine/index.js'
import { fine, finding } from './check.js'
import { checkDiskUse, readDiskUse } from './disk-use.js'
import { checkBootstrap, clockCheck } from './network-checks.js'
import { checkOpenFiles } from './open-files-check.js'

/** What the settings say, for checks without a running node. */
export interface OfflineOptions {
  mode: NetworkMode
  dataDir: string
  bootstrap: readonly RawBootstrapSetting[]
  /** Ports a node would take; 0 is any free one. */
  ports: readonly OfflinePort[]
}

/** A port of the settings. */
interface OfflinePort {
  setting: string
  transport: 'tcp' | 'udp'
  host: string
  port: number
  /** Nobody asked for this port: where it is in use, a node takes a free one. */
  isDefault: boolean
}

const CLOCK_MS = 5_000

/** What can be checked while no node runs: the folder, the ports, the sources and the clock. Takes up to 10 s. */
export async function examineOffline(options: OfflineOptions, signal: AbortSignal): Promise<Check[]> {
  const [folder, ports, bootstrap] = await Promise.all([
    checkFolder(options.dataDir),
    checkPorts(options.ports),
    options.mode === 'standalone' ? [] : askSources(options.bootstrap, signal),
  ])
  const sources = checkBootstrap({ bootstrap, mode: options.mode, connections: [] }).map(notDialled)
  // Those of this very process, which a node that is started from here would have too.
  const openFiles = readOpenFiles()
  const files = checkOpenFiles({ ...openFiles, shares: shareOpenFiles(openFiles) })
  const clock = await checkClockOffline(bootstrap, signal)
  const disk = await readDiskUse(options.dataDir)
  // A folder that is not there takes nothing.
  const diskUse = disk === undefined ? [] : [checkDiskUse(disk)]
  return [notRunning(options.dataDir), folder, ...ports, ...sources, files, ...diskUse, clock]
}

/** Nothing dials here: whether an address answers takes a node. */
function notDialled(check: Check): Check {
  return check.id.startsWith('bootstrap:') && check.state === 'unknown'
    ? { ...check, meaning: 'Only a running node can dial it and find out whether it answers.' }
    : check
}

function notRunning(dataDir: string): Check {
  return finding('node', 'bad', {
    fact: `No node is running with the data folder ${dataDir}.`,
    meaning: 'Checks that need a node are left out: peers, relays and the router.',
    fix: 'Start it with `ocf start`, then ask the doctor again.',
  })
}

async function checkFolder(dataDir: string): Promise<Check> {
  const id = 'data-dir'
  try {
    const found = await stat(dataDir)
    if (!found.isDirectory()) throw new Error('it is not a folder')
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return fine(id, `The data folder ${dataDir} does not exist yet.`, 'It is made at the first start.')
    return finding(id, 'bad', {
      fact: `The data folder ${dataDir} cannot be used: ${reasonOf(error)}.`,
      meaning: 'A node cannot keep its identity there.',
      fix: 'Give this user the right to read and write it, or choose another one with --data-dir.',
    })
  }
  return await checkIdentity(dataDir)
}

async function checkIdentity(dataDir: string): Promise<Check> {
  const id = 'data-dir'
  try {
    const { mode } = await stat(join(dataDir, 'identity.key'))
    if (process.platform === 'win32' || (mode & 0o077) === 0)
      return fine(id, `The data folder ${dataDir} holds an identity.`, 'The node keeps its peer id.')
    return finding(id, 'warn', {
      fact: `The identity in ${dataDir} can be read by other users of this machine.`,
      meaning: 'Anyone with the key can impersonate this node.',
      fix: `Run chmod 600 ${join(dataDir, 'identity.key')}.`,
    })
  } catch {
    return fine(id, `The data folder ${dataDir} holds no identity yet.`, 'It is made at the first start.')
  }
}

/** Each port, and all that another node of this user has in one check: that node is no fault. */
async function checkPorts(ports: readonly OfflinePort[]): Promise<Check[]> {
  const nodes = await machineNodePids()
  const tried = await Promise.all(ports.map(tryPort))
  const isNodes = ({ port, holder }: TriedPort): boolean =>
    port.isDefault && holder !== undefined && nodes.has(holder.pid)
  const others = tried.filter((one) => !isNodes(one)).map(checkOf)
  const held = Map.groupBy(tried.filter(isNodes), ({ holder }) => holder?.pid ?? 0)
  return [...[...held].map(([pid, all]) => otherNode(pid, all)), ...others]
}

function otherNode(pid: number, held: readonly TriedPort[]): Check {
  const ports = held.map(({ port }) => `${port.port} (${port.setting})`).join(', ')
  return finding('other-node', 'warn', {
    fact: `Another node of yours runs with another data folder (pid ${pid}); it has the ports ${ports}.`,
    meaning: 'A second node can run beside it: it takes free ports.',
    fix: 'If you meant that node, ask again with its --data-dir.',
  })
}

/** A port with why it can't be listened on, and who has it. */
interface TriedPort {
  port: OfflinePort
  code: string | undefined
  holder: Awaited<ReturnType<typeof findPortHolder>>
}

async function tryPort(port: OfflinePort): Promise<TriedPort> {
  const code = port.port === 0 ? undefined : await bindError(port.transport, port.host, port.port)
  const holder = code === 'EADDRINUSE' ? await findPortHolder(port.port, port.transport) : undefined
  return { port, code, holder }
}

function checkOf({ port: { setting, port, isDefault }, code, holder }: TriedPort): Check {
  const id = `port:${setting}`
  if (port === 0) return fine(id, `Any free port will do for ${setting}.`, 'No other program can be in its way.')
  const name = `Port ${port} (${setting})`
  if (code === undefined) return fine(id, `${name} is free.`, 'The node can listen there.')
  const by = holder === undefined ? 'another program' : `${holder.program} (pid ${holder.pid})`
  const fact = code === 'EADDRINUSE' ? `${name} is used by ${by}.` : `${name} can’t be opened: ${code}.`
  if (code === 'EADDRINUSE' && isDefault)
    return finding(id, 'warn', {
      fact,
      meaning: 'A node takes a free port instead.',
      fix: `Stop it, or choose a port with --${setting}.`,
    })
  return finding(id, 'bad', {
    fact,
    meaning: 'A node cannot start with these settings.',
    fix: `${code === 'EADDRINUSE' ? 'Stop it, or choose' : 'Choose'} another port with --${setting}.`,
  })
}

async function askSources(raw: readonly RawBootstrapSetting[], signal: AbortSignal): Promise<BootstrapSourceStatus[]> {
  const { sources, problems } = parseBootstrapSettings(raw)
  const none = { addresses: 0, reason: undefined, askedAtMs: undefined }
  const asked = await Promise.all(
    sources.map(async (source): Promise<BootstrapSourceStatus> => {
      const { setting, text } = source
      const resolution = await resolveSource(source, signal)
      if (!resolution.ok) return { source: text, setting, state: 'failed', ...none, reason: resolution.reason }
      // Whether a multiaddr's node answers takes a running node to dial it.
      const state = source.kind === 'multiaddr' ? 'waiting' : 'ok'
      const { addresses } = resolution
      return { source: text, setting, state, ...none, addresses: addresses.length, reason: oddEntries(resolution) }
    }),
  )
  return [
    ...asked,
    ...problems.map(({ text, setting, reason }) => ({ source: text, setting, state: 'bad', ...none, reason }) as const),
  ]
}

/** The clock against the first HTTP source that sends a date, which has whole seconds only. */
async function checkClockOffline(bootstrap: readonly BootstrapSourceStatus[], signal: AbortSignal): Promise<Check> {
  for (const { source, state } of bootstrap) {
    if (state !== 'ok' || !/^https?:/i.test(source)) continue
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(CLOCK_MS)])
      // Asked as a node asks it, without the proxies of the environment.
      const dispatcher = new Agent()
      const { headers, body } = await request(source, { method: 'HEAD', signal: limited, dispatcher })
      await body.dump()
      await dispatcher.close()
      const theirs = Date.parse(String(headers['date']))
      if (!Number.isNaN(theirs)) return clockCheck(Date.now() - theirs, 'that of a bootstrap source')
    } catch {
      // It answered a moment ago; that it sends no date now is no finding.
    }
  }
  return finding('clock', 'unknown', {
    fact: `The clock of this machine says ${dayTimeText(Date.now())}.`,
    meaning: 'No source reported a time to compare it with.',
  })
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

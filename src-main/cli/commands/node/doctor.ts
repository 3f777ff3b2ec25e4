import type { Check, DoctorReport } from '#shared/contract/node/doctor.js'
import { AppError } from '#shared/errors.js'
import { counted } from '#shared/figures.js'
import type { Origins, Settings } from '../../../config/index.js'
import type { OfflineOptions } from '../../../doctor/index.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { findPeer } from '../../peer-names.js'
import { mayColour } from '../../table.js'

interface Loaded {
  settings: Settings
  origins: Origins
}

/** Sources get 5 s each at the same time, and the clock a question more. */
const OFFLINE_MS = 15_000

const MARKS: Record<Check['state'], string> = { ok: 'ok', warn: 'WARN', bad: 'BAD', unknown: '?' }
const COLOURS: Record<Check['state'], number> = { ok: 32, warn: 33, bad: 31, unknown: 90 }

/**
 * `ocf doctor [PEER]`: what is wrong and what to do; exits with 1 when something is bad. Without a running node it
 * checks what it can; the path to a peer takes a node.
 */
export async function runDoctor(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean; peer: string | undefined; loaded: Loaded },
): Promise<number> {
  const { io, client } = needs
  const { peer, loaded } = options
  const report =
    peer === undefined
      ? await ownReport(client, loaded)
      : await client.call('doctor.peer', { peerId: await findPeer(client, peer) })
  io.stdout.write(
    options.json
      ? `${JSON.stringify(report, null, 2)}\n`
      : reportText(report, { ofPeer: peer !== undefined, colour: mayColour(io) }),
  )
  return report.checks.some(({ state }) => state === 'bad') ? EXIT.failed : EXIT.ok
}

async function ownReport(client: ControlClient, loaded: Loaded): Promise<DoctorReport> {
  try {
    return await client.call('doctor.run', {})
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'node_not_running') throw error
    const { examineOffline } = await import('../../../doctor/index.js')
    const checks = await examineOffline(await offlineOptions(loaded), AbortSignal.timeout(OFFLINE_MS))
    return { atMs: Date.now(), peerId: '', checks }
  }
}

async function offlineOptions({ settings, origins }: Loaded): Promise<OfflineOptions> {
  const { bootstrapSettings } = await import('../../../p2p/bootstrap/index.js')
  const loopback = '127.0.0.1'
  const [p2pHost = '0.0.0.0'] = settings['p2p-host']
  const ports = [
    { setting: 'port', transport: 'tcp', host: loopback },
    { setting: 'api-port', transport: 'tcp', host: loopback },
    { setting: 'tcpport', transport: 'tcp', host: p2pHost },
    { setting: 'wsport', transport: 'tcp', host: p2pHost },
    { setting: 'udpport', transport: 'udp', host: p2pHost },
  ] as const
  return {
    mode: settings.mode,
    dataDir: settings['data-dir'],
    bootstrap: bootstrapSettings(settings),
    ports: ports.map((port) => ({
      ...port,
      port: settings[port.setting],
      isDefault: origins[port.setting].kind === 'default',
    })),
  }
}

function reportText({ checks }: DoctorReport, { ofPeer, colour }: { ofPeer: boolean; colour: boolean }): string {
  const lines = checks.map((check) => checkText(check, colour)).join('')
  return `${lines}\n${ofPeer ? pathVerdict(checks) : verdict(checks)}\n`
}

/** The verdict, on the last line. */
function verdict(checks: readonly Check[]): string {
  const [worst, ...more] = checks.filter(({ state }) => state === 'bad')
  if (worst !== undefined) {
    const others =
      more.length === 0 ? '' : ` ${counted(more.length, 'more thing is', 'more things are')} broken, see above.`
    return `Broken: ${printable(worst.fact)}${others}`
  }
  const warnings = checks.filter(({ state }) => state === 'warn').length
  return warnings === 0 ? 'Nothing is wrong.' : `It works, with ${counted(warnings, 'warning')} (WARN).`
}

/** Where the path to a peer breaks, or that it does not. */
function pathVerdict(checks: readonly Check[]): string {
  const broken = checks.find(({ state }) => state === 'bad')
  return broken === undefined ? 'The path to this peer works.' : `The path breaks here: ${printable(broken.fact)}`
}

/** The fact, and under it what it means and what to do. */
function checkText({ state, fact, meaning, fix }: Check, colour: boolean): string {
  const mark = MARKS[state].padEnd(5)
  const shown = colour ? `\u001b[${COLOURS[state]}m${mark}\u001b[0m` : mark
  const lines = [`${shown} ${printable(fact)}`, `      ${printable(meaning)}`]
  if (fix !== '') lines.push(`      → ${printable(fix)}`)
  return `${lines.join('\n')}\n`
}

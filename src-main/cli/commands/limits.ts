import type { SettingView } from '#shared/contract/node/settings.js'
import type { Usage } from '#shared/contract/sharing/limits.js'
import { AppError } from '#shared/errors.js'
import { counted, numberText } from '#shared/figures.js'
import { LIMIT_NAMES, LIMITS } from '#shared/limits.js'
import { didYouMean, nearNames, quote } from '../../config/index.js'
import { printable } from '../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { readPeerNames, type PeerNames } from '../peer-names.js'
import { mayColour, textTable } from '../table.js'
import { sharingText } from './pause.js'

const PREFIXES = ['limits.', 'pause.']

/** `ocf limits [name=value…]`: what others may use of this machine, and how it is used now. */
export async function runLimits(
  needs: { io: CliIo; client: ControlClient },
  options: { changes: readonly string[]; json: boolean },
): Promise<number> {
  const { io, client } = needs
  const rows = await limitRows(client)
  const changes = options.changes.map((change) => readChange(change, rows))
  let restartNeeded = false
  for (const { name, value } of changes) {
    const saved = await client.call('settings.set', { name, value })
    restartNeeded ||= saved.restartNeeded
  }
  const usage = await client.call('limits.get', {})
  const pause = await client.call('pause.get', {})
  const shown = changes.length === 0 ? rows : await limitRows(client)
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ usage, pause, settings: shown, restartNeeded }, null, 2)}\n`)
    return EXIT.ok
  }
  const table = textTable(
    ['LIMIT', 'VALUE', 'FROM'],
    shown.map(({ name, value, originLabel }) => [name, shownValue(name, value), originLabel]),
    { colour: mayColour(io) },
  )
  io.stdout.write(`${sharingText(pause, usage)}${usageText(usage, await readPeerNames(client))}\n${table}`)
  if (restartNeeded) {
    io.stderr.write(
      'A flag or an environment variable overrides this; the change takes effect once the node starts without it.\n',
    )
  }
  return EXIT.ok
}

/** Limits that 0 switches off. */
const UNLIMITED_AT_0 = new Set<string>(
  LIMIT_NAMES.map((name) => LIMITS[name])
    .filter(({ cost }) => cost.startsWith('0 = unlimited'))
    .map(({ setting }) => setting),
)

const shownValue = (name: string, value: string): string =>
  value === '0' && UNLIMITED_AT_0.has(name) ? 'unlimited' : value

async function limitRows(client: ControlClient): Promise<SettingView[]> {
  const settings = await client.call('settings.list', {})
  return settings.filter(({ name }) => PREFIXES.some((prefix) => name.startsWith(prefix)))
}

/** `concurrent=6` or `limits.concurrent=6`; nothing behind the sign takes the setting out of the file. */
function readChange(text: string, rows: readonly SettingView[]): { name: string; value: string | null } {
  const split = text.indexOf('=')
  if (split < 1) throw new AppError('invalid_settings', `${quote(text)} is not NAME=VALUE.`)
  const given = text.slice(0, split)
  const value = text.slice(split + 1)
  const row = rows.find(({ name }) => name === given || PREFIXES.some((prefix) => name === `${prefix}${given}`))
  if (row !== undefined) return { name: row.name, value: value === '' ? null : value }
  const near = nearNames(
    given,
    rows.map(({ name }) => name),
  )
  throw new AppError('invalid_settings', `There is no limit ${quote(given)}.${didYouMean(near)}`)
}

function usageText({ slots, queue, ownRunning, consumers, refused }: Usage, names: PeerNames): string {
  const lines = [
    `${slots.used} of ${slots.total} slots used by ${counted(consumers.length, 'peer')}, ${queue.used} waiting, ${counted(ownRunning, 'request')} of your own.`,
    ...consumers.map(
      ({ peerId, running, waiting, tokensToday }) =>
        `  ${printable(names.labelOf(peerId))}: ${running} running, ${waiting} waiting, ${counted(tokensToday, 'token')} today`,
    ),
    ...refused.map(({ code, count }) => `  refused ${printable(code)}: ${numberText(count)}`),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

import type { CallOutput } from '#shared/contract/index.js'
import { INVITE_LIMITS, type InviteView } from '#shared/contract/people/invites.js'
import { counted, momentText } from '#shared/figures.js'
import type { SettingProblem } from '../../../config/index.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { mayColour, textTable } from '../../table.js'

/** The options only `ocf invite` has. */
export const INVITE_OPTIONS: [flags: string, help: string][] = [
  ['--name [name]', 'For whom it is; a single guest is called so here.'],
  ['--uses [count]', `How many may come with it, up to ${INVITE_LIMITS.maxUses} (default: 1)`],
  ['--for [time]', 'How long it may be used, such as 30m, 12h, 7d or 4w (default: 7d)'],
  ['--list', 'Lists the invites of this node.'],
  ['--revoke [id]', 'Refuses an invite from now on, given by its id or the beginning of it.'],
]

const MS_OF: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

/** What is wrong with those. */
export function inviteProblems(own: Readonly<Record<string, unknown>>): SettingProblem[] {
  const missing = ['name', 'uses', 'for', 'revoke'].filter((name) => own[name] === true)
  const problems = missing.map((name) => ({ source: `flag --${name}`, sentence: 'It needs a value.' }))
  const { minUses, maxUses, minMs, maxMs } = INVITE_LIMITS
  if (typeof own.uses === 'string' && !isWithin(countOf(own.uses), minUses, maxUses)) {
    problems.push({ source: 'flag --uses', sentence: `It takes a whole number from ${minUses} to ${maxUses}.` })
  }
  if (typeof own.for === 'string' && !isWithin(durationOf(own.for), minMs, maxMs)) {
    problems.push({ source: 'flag --for', sentence: 'It takes a time from 1m to 365d, such as 12h or 7d.' })
  }
  return problems
}

/** `ocf invite`: makes an invite, lists those there are, or revokes one. The invite alone goes to standard output. */
export async function runInvite(
  needs: { io: CliIo; client: ControlClient },
  options: { own: Readonly<Record<string, unknown>>; json: boolean },
): Promise<number> {
  const { own, json } = options
  if (own.list === true) return await list(needs, json)
  if (typeof own.revoke === 'string') return await revoke(needs, own.revoke, json)
  const made = await needs.client.call('people.invite', {
    ...(typeof own.name === 'string' ? { name: own.name } : {}),
    ...(typeof own.uses === 'string' ? { uses: countOf(own.uses) } : {}),
    ...(typeof own.for === 'string' ? { forMs: durationOf(own.for) } : {}),
  })
  needs.io.stdout.write(json ? `${JSON.stringify(made, null, 2)}\n` : `${made.text}\n`)
  if (!json) needs.io.stderr.write(madeText(made))
  return EXIT.ok
}

function madeText({ invite, reach }: CallOutput<'people.invite'>): string {
  const who = invite.uses === 1 ? 'One person can' : `Up to ${invite.uses} people can`
  return [
    `${who} join with this line until ${momentText(invite.expiresAtMs, Date.now())}, pasted in the app or where \`ocf join\` asks for it.`,
    'Send it only to the person it is for: this node trusts anyone who uses it. It is not shown again.',
    ...(REACH_WORDS[reach] === '' ? [] : [REACH_WORDS[reach]]),
    `\`ocf invite --revoke ${invite.id.slice(0, 8)}\` takes it back.`,
    '',
  ].join('\n')
}

const REACH_WORDS: Readonly<Record<CallOutput<'people.invite'>['reach'], string>> = {
  anywhere: '',
  lan: 'This node can only be reached from its local network so far, so the invite only works there. `ocf doctor` says why.',
  machine: 'This node only listens on this computer, so the invite works nowhere else.',
  nowhere: 'This node has no address that can be dialled: the guest has to find it on the network.',
}

async function list({ io, client }: { io: CliIo; client: ControlClient }, json: boolean): Promise<number> {
  const invites = await client.call('people.invites', {})
  if (json) io.stdout.write(`${JSON.stringify(invites, null, 2)}\n`)
  else if (invites.length === 0) io.stdout.write('There are no invites. `ocf invite` makes one.\n')
  else
    io.stdout.write(textTable(['ID', 'FOR', 'STATE', 'USED', 'UNTIL'], invites.map(rowOf), { colour: mayColour(io) }))
  return EXIT.ok
}

const rowOf = ({ id, name, state, uses, usesLeft, expiresAtMs }: InviteView): string[] => [
  ...[id.slice(0, 8), name ?? '', state],
  ...[`${uses - usesLeft} of ${uses}`, momentText(expiresAtMs, Date.now())],
]

async function revoke(
  { io, client }: { io: CliIo; client: ControlClient },
  id: string,
  json: boolean,
): Promise<number> {
  const { revoked } = await client.call('people.revokeInvite', { id })
  const came = revoked.usedBy.length
  const stays =
    came === 0 ? '' : ` ${counted(came, 'peer')} that came with it ${came === 1 ? 'stays' : 'stay'} trusted.`
  const text = `The invite ${revoked.id.slice(0, 8)}${revoked.name === null ? '' : ` for ${printable(revoked.name)}`} is refused from now on.${stays}\n`
  io.stdout.write(json ? `${JSON.stringify(revoked, null, 2)}\n` : text)
  return EXIT.ok
}

const countOf = (text: string): number => (/^\d{1,4}$/.test(text) ? Number(text) : NaN)

function durationOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? []
  return Number(count || NaN) * (MS_OF[unit] ?? NaN)
}

const isWithin = (value: number, min: number, max: number): boolean => value >= min && value <= max

import { setTimeout as delay } from 'node:timers/promises'
import type { NetworkView } from '#shared/contract/network/join.js'
import { MAX_PASTED_LENGTH } from '#shared/contract/people/invites.js'
import { AppError } from '#shared/errors.js'
import { quote, type SettingProblem } from '../../../config/index.js'
import { printable } from '../../../logging/index.js'
import { readTextFile } from '../../given-text.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'

/** The options of `ocf network` and `ocf leave`. */
export const NETWORK_OPTIONS: [flags: string, help: string][] = [
  ['--yes', 'Where it takes a restart into another network: does that, too.'],
]

/** The options of `ocf join`. */
export const JOIN_OPTIONS: [flags: string, help: string][] = [
  ...NETWORK_OPTIONS,
  ['--file [file]', 'File that holds it, in place of WHAT.'],
]

/** What is wrong with those. */
export function joinProblems(own: Own): SettingProblem[] {
  return own.file === true ? [{ source: 'flag --file', sentence: 'It needs a value.' }] : []
}

interface JoinNeeds {
  io: CliIo
  client: ControlClient
}

type Own = Readonly<Record<string, unknown>>

const PROMPT = 'Paste the invite, or what else is to be joined (it is not shown): '
const FIRST_WORD_MS = 1_000
const NEXT_WORD_MS = 5_000
const RESTART_WITHIN_MS = 60_000
const JOINS_WITHIN_MS = 45_000
const POLL_MS = 250

/**
 * `ocf join [WHAT]`: without WHAT, or with `-`, it is asked for and not shown. What was pasted without quotes comes as
 * several words.
 */
export async function runJoin(needs: JoinNeeds, options: { words: readonly string[]; own: Own }): Promise<number> {
  const { io, client } = needs
  const text = await textToJoin(io, options)
  if (text === undefined) return EXIT.interrupted
  const switchNetwork = options.own.yes === true
  const result = await withProgress(io, 'Joining', client.call('network.join', { text, switchNetwork }))
  const { kind, state, sentence, canSwitch, peerId } = result
  if (state === 'failed') {
    const how = canSwitch && !switchNetwork ? ' With --yes it restarts into that network.' : ''
    io.stderr.write(`error: ${printable(sentence)}${how}\n`)
    return kind === 'unknown' ? EXIT.usage : EXIT.failed
  }
  if (state === 'joined') {
    io.stdout.write(`${printable(sentence)}\n`)
    return EXIT.ok
  }
  if (!(await restart(needs, sentence))) return EXIT.ok
  return peerId === null ? EXIT.ok : await untilTrusted(needs, peerId)
}

/** Undefined where the person gave up. */
async function textToJoin(
  io: CliIo,
  { words, own }: { words: readonly string[]; own: Own },
): Promise<string | undefined> {
  const isAsked = words.length === 0 || (words.length === 1 && words[0] === '-')
  if (typeof own.file !== 'string') return isAsked ? await io.readPasted(PROMPT) : words.join('\n')
  if (words.length > 0)
    throw new AppError('invalid_settings', 'Say what to join, or --file with the file that holds it.')
  return readTextFile(io, own.file).slice(0, MAX_PASTED_LENGTH)
}

/** `ocf network [create NAME|leave [WHAT]|key|none]` */
export async function runNetwork(
  needs: JoinNeeds,
  options: { args: readonly string[]; own: Own; json: boolean },
): Promise<number> {
  const [action, argument] = options.args
  switch (action) {
    case undefined:
      return await showNetwork(needs, options.json)
    case 'create':
      if (argument === undefined) throw new AppError('invalid_settings', 'Say its name: `ocf network create NAME`.')
      return await changed(needs, await needs.client.call('network.create', { name: argument }), options.own)
    case 'none':
    case 'leave': {
      const what = argument === undefined ? {} : { what: argument }
      return await changed(needs, await needs.client.call('network.leave', what), options.own)
    }
    case 'key':
      needs.io.stdout.write(`${(await needs.client.call('network.key', {})).text}\n`)
      needs.io.stderr.write('Anyone with this line can enter the network. `ocf join` asks for it.\n')
      return EXIT.ok
    default:
      throw new AppError(
        'invalid_settings',
        `There is no ${quote(action)}: say create NAME, leave, leave WHAT or key. \`ocf join ${action}\` joins.`,
      )
  }
}

async function showNetwork({ io, client }: JoinNeeds, json: boolean): Promise<number> {
  const view = await client.call('network.get', {})
  io.stdout.write(json ? `${JSON.stringify(view, null, 2)}\n` : networkText(view))
  return EXIT.ok
}

function networkText(view: NetworkView): string {
  const { privateName, nextPrivateName, known, joined, choices } = view
  const where = (name: string | null): string => (name === null ? 'the open network' : `the private network ${name}`)
  const lines = [
    `This node is in ${where(privateName)}${known === null ? '' : `, and joined ${known}`}.`,
    ...(nextPrivateName === privateName ? [] : [`After the next start it is in ${where(nextPrivateName)}.`]),
    ...(joined.length === 0
      ? []
      : ['Joined, and asked again at each start:', ...joined.map((source) => `  ${source}`)]),
    '',
    'Networks that can be joined by name:',
    ...choices.map(({ name, title, runBy, meaning }) => `  ${name}  ${title}, run by ${runBy}. ${meaning}`),
    '',
  ]
  return lines.map((line) => printable(line)).join('\n')
}

async function changed(
  needs: JoinNeeds,
  { sentence, restartNeeded }: { sentence: string; restartNeeded: boolean },
  own: Own,
): Promise<number> {
  needs.io.stdout.write(`${printable(sentence)}\n`)
  if (restartNeeded && own.yes === true) await restart(needs, '')
  else if (restartNeeded) needs.io.stderr.write('With --yes it restarts at once.\n')
  return EXIT.ok
}

/** Restarts the node and waits until it answers again. False, after the sentence, where it has to be done by hand. */
async function restart({ io, client }: JoinNeeds, sentence: string): Promise<boolean> {
  const { startedAtMs } = await client.call('node.status', {})
  const { restarting } = await client.call('node.restart', {})
  if (!restarting) {
    io.stdout.write(`${printable(sentence === '' ? 'Restart this node by hand.' : sentence)}\n`)
    return false
  }
  io.stderr.write('Restarting the node …\n')
  const isBack = async (): Promise<boolean> => {
    try {
      return (await client.call('node.status', {})).startedAtMs !== startedAtMs
    } catch (error) {
      if (error instanceof AppError) return false // It is down, or on its way down.
      throw error
    }
  }
  const isUp = await withProgress(io, 'Restarting', comesTrue(isBack, RESTART_WITHIN_MS))
  if (!isUp) throw new AppError('node_not_running', 'The node stopped and has not come back. Start it again.')
  const { privateName } = await client.call('network.get', {})
  io.stdout.write(
    `It runs again, in ${privateName === null ? 'the open network' : `the private network ${printable(privateName)}`}.\n`,
  )
  return true
}

/** The node goes on with the invite after its start. */
async function untilTrusted({ io, client }: JoinNeeds, peerId: string): Promise<number> {
  const find = async () => (await client.call('people.list', {})).find((person) => person.peerId === peerId)
  const isTrusted = comesTrue(async () => (await find()) !== undefined, JOINS_WITHIN_MS)
  if (!(await withProgress(io, 'Joining', isTrusted))) {
    io.stderr.write(
      'error: The inviter does not answer yet. This node keeps trying: `ocf people` shows when it worked.\n',
    )
    return EXIT.failed
  }
  const label = (await find())?.label ?? peerId
  io.stdout.write(`You and ${printable(label)} trust each other now.\n`)
  return EXIT.ok
}

async function comesTrue(isTrue: () => Promise<boolean>, limitMs: number): Promise<boolean> {
  const untilMs = performance.now() + limitMs
  while (!(await isTrue())) {
    if (performance.now() > untilMs) return false
    await delay(POLL_MS)
  }
  return true
}

/** Says that it is at work, once that takes longer than a person waits without wondering. */
async function withProgress<T>(io: CliIo, what: string, work: Promise<T>): Promise<T> {
  const startedMs = performance.now()
  let timer = setTimeout(say, FIRST_WORD_MS)
  function say(): void {
    io.stderr.write(`${what} … ${Math.round((performance.now() - startedMs) / 1000)} s\n`)
    timer = setTimeout(say, NEXT_WORD_MS)
  }
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}

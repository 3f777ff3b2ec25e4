import type { JoinOutcome } from '#shared/contract/people/invites.js'
import { AppError } from '#shared/errors.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'

/** The options only `ocf join` has. */
export const JOIN_OPTIONS: [flags: string, help: string][] = [
  ['--switch-network', 'Where the invite is of another network: goes over into that one at the next start.'],
]

interface JoinNeeds {
  io: CliIo
  client: ControlClient
}

/** One kind of what can be joined. */
interface JoinKind {
  /** In words that follow "such as". */
  example: string
  recognises(what: string): boolean
  join(needs: JoinNeeds, what: string, own: Readonly<Record<string, unknown>>): Promise<number>
}

/** The first that recognises what was given has it. */
const KINDS: readonly JoinKind[] = [
  { example: 'an invite (ocf1…)', recognises: (what) => /ocf[1-9][\w-]|ocf:\/\/join/i.test(what), join: joinByInvite },
]

/** `ocf join WHAT`; what was pasted without quotes comes as several words. */
export async function runJoin(
  needs: JoinNeeds,
  options: { words: readonly string[]; own: Readonly<Record<string, unknown>> },
): Promise<number> {
  const what = options.words.join('\n')
  const kind = KINDS.find((each) => each.recognises(what))
  if (kind !== undefined) return await kind.join(needs, what, options.own)
  const examples = KINDS.map(({ example }) => example).join(', ')
  throw new AppError('invalid_settings', `Say what to join: ${examples}.`)
}

const WORKED: ReadonlySet<JoinOutcome> = new Set(['joined', 'already-trusted', 'restart-needed'])

async function joinByInvite(
  { io, client }: JoinNeeds,
  text: string,
  own: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { invite, canSwitch, problem } = await client.call('people.readInvite', { text })
  if (problem === null && invite !== null) {
    const name = invite.name === null ? '' : `${printable(invite.name)}, `
    io.stderr.write(`Joining by the invite of ${name}${invite.inviter} …\n`)
  }
  const { outcome, sentence } = await client.call('people.join', { text, switchNetwork: own.switchNetwork === true })
  const how = outcome === 'other-network' && canSwitch ? ' With --switch-network this node goes over into it.' : ''
  const worked = WORKED.has(outcome)
  ;(worked ? io.stdout : io.stderr).write(`${worked ? '' : 'error: '}${printable(sentence)}${how}\n`)
  return worked ? EXIT.ok : EXIT.failed
}

import type { KeyTotals, KeyView } from '#shared/contract/node/keys.js'
import { AppError } from '#shared/errors.js'
import { counted, numberText } from '#shared/figures.js'
import { quote } from '../../../config/index.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { mayColour, textTable } from '../../table.js'

interface KeysNeeds {
  io: CliIo
  client: ControlClient
}

/**
 * `ocf keys [list | add NAME | revoke NAME|ID]`: the API keys of apps at the running node. A new key alone goes to
 * standard output, so that a script can take it.
 */
export async function runKeys(
  needs: KeysNeeds,
  options: { action: string | undefined; name: string | undefined; json: boolean },
): Promise<number> {
  const { action = 'list', name, json } = options
  if (action === 'list') return list(needs, json)
  if (action !== 'add' && action !== 'revoke') {
    throw new AppError('invalid_settings', `There is no ${quote(action)}: say list, add or revoke.`)
  }
  if (name === undefined) throw new AppError('invalid_settings', `Say which one: \`ocf keys ${action} NAME\`.`)
  return action === 'add' ? add(needs, name, json) : revoke(needs, name, json)
}

async function list({ io, client }: KeysNeeds, json: boolean): Promise<number> {
  const answer = await client.call('keys.list', {})
  if (json) {
    io.stdout.write(`${JSON.stringify(answer, null, 2)}\n`)
    return EXIT.ok
  }
  const { required, keys } = answer
  const rows = keys.map(({ name, id, createdDay, lastUsedDay, usage }) => [
    ...[name, id, createdDay, lastUsedDay ?? 'never'],
    ...[totalsText(usage.today), totalsText(usage.sinceStart)],
  ])
  const head = ['NAME', 'ID', 'MADE', 'LAST USED', 'TODAY', 'SINCE THE START']
  io.stdout.write(keys.length === 0 ? 'There are no API keys.\n' : textTable(head, rows, { colour: mayColour(io) }))
  io.stderr.write(
    required
      ? 'The gateway asks for a key.\n'
      : 'The gateway needs no key; requests with one are counted under its name.\n',
  )
  return EXIT.ok
}

async function add({ io, client }: KeysNeeds, name: string, json: boolean): Promise<number> {
  const made = await client.call('keys.add', { name })
  io.stdout.write(json ? `${JSON.stringify(made, null, 2)}\n` : `${made.key}\n`)
  io.stderr.write(`This is the key of ${printable(name)}. It is not shown again; apps take it as their API key.\n`)
  return EXIT.ok
}

async function revoke({ io, client }: KeysNeeds, key: string, json: boolean): Promise<number> {
  const { revoked } = await client.call('keys.revoke', { key })
  io.stdout.write(json ? `${JSON.stringify(revoked, null, 2)}\n` : revokedText(revoked))
  return EXIT.ok
}

const revokedText = ({ name }: KeyView): string => `The key of ${printable(name)} is refused from now on.\n`

const totalsText = ({ requests, tokensIn, tokensOut }: KeyTotals): string =>
  `${counted(requests, 'request')}, ${numberText(tokensIn)} + ${numberText(tokensOut)} tokens`

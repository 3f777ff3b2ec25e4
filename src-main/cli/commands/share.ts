import { readFileSync } from 'node:fs'
import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { VISIBILITIES, type Visibility } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import { counted } from '#shared/figures.js'
import { readAddress } from '#shared/read-address.js'
import { quote, type SettingProblem } from '../../config/index.js'
import { printable } from '../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { mayColour } from '../table.js'
import { serversText, withShares } from './detect.js'

/** The options only `ocf share` has. */
export const SHARE_OPTIONS: [flags: string, help: string, repeatable?: 'repeatable'][] = [
  ['--model [id]', 'This model; may be given several times.', 'repeatable'],
  ['--all', 'Every model, also those that are added later.'],
  [
    '--with [who]',
    'Who may use them: me (this computer), trusted or everyone. Default: as before, and me for new ones.',
  ],
  ['--alias [name]', 'A further name for a model, as NAME=MODEL; may be given several times.', 'repeatable'],
  ['--host [host]', 'Where the server is (default: localhost, which is 127.0.0.1 or ::1).'],
  ['--key-file [file]', 'File with the key the server wants; it is kept on this machine.'],
]

/** What is wrong with those. */
export function shareProblems(own: Readonly<Record<string, unknown>>): SettingProblem[] {
  const problems: SettingProblem[] = []
  for (const name of ['model', 'alias', 'host', 'keyFile', 'with']) {
    const values = [own[name]].flat()
    if (values.includes(true)) problems.push({ source: `flag --${dashed(name)}`, sentence: 'It needs a value.' })
  }
  for (const alias of textsOf(own.alias)) {
    if (/^[^=]+=.+$/.test(alias)) continue
    problems.push({ source: 'flag --alias', sentence: `${quote(alias)} is not NAME=MODEL.` })
  }
  if (typeof own.with === 'string' && visibilityIn(own.with) === undefined) {
    problems.push({ source: 'flag --with', sentence: `${quote(own.with)} is none of ${VISIBILITIES.join(', ')}.` })
  }
  if (own.all === true && own.model !== undefined) {
    problems.push({ source: 'flag --all', sentence: 'It goes without --model.' })
  }
  return problems
}

/** `ocf share [ADDRESS]`: says which models of a server that runs here may be used, and by whom. */
export async function runShare(
  needs: { io: CliIo; client: ControlClient },
  options: { address: string | undefined; own: Readonly<Record<string, unknown>>; json: boolean },
): Promise<number> {
  const { io, client } = needs
  const { own } = options
  const keyFile = typeof own.keyFile === 'string' ? own.keyFile : undefined
  const apiKey = keyFile === undefined ? undefined : readKey(io, keyFile)
  const target = options.address === undefined ? await theOnlyServer(needs) : readTarget(options.address, own.host)
  if (target === undefined) return EXIT.failed
  const chosen = textsOf(own.model)
  if (own.all !== true && chosen.length === 0) {
    const server = await serverAt(client, target, apiKey)
    io.stdout.write(options.json ? `${JSON.stringify(server, null, 2)}\n` : '')
    io.stderr.write(whichText(server))
    return EXIT.failed
  }
  const models = own.all === true ? ('all' as const) : chosen
  const visibility = visibilityIn(own.with)
  const aliases = textsOf(own.alias).map((text) => {
    const split = text.indexOf('=')
    return { name: text.slice(0, split), model: text.slice(split + 1) }
  })
  const share = await client.call('shares.add', {
    ...target,
    models,
    ...(visibility === undefined ? {} : { visibility }),
    aliases,
    ...(apiKey === undefined ? {} : { apiKey }),
  })
  io.stdout.write(options.json ? `${JSON.stringify(share, null, 2)}\n` : sharedText(share))
  return EXIT.ok
}

/** Who may use how much of it from now on, a sentence for each. */
function sharedText(share: ShareView): string {
  const { name, address, port } = share
  const has = (visibility: Visibility): number =>
    share.choices.filter((choice) => choice.ticked && choice.visibility === visibility).length
  const [mine, trusted, open] = [has('me'), has('trusted'), has('everyone')]
  const of = (count: number): string => `${counted(count, 'model')} of ${name} at ${address}`
  const which = share.models === 'all' ? '--all' : share.models.map((id) => `--model ${id}`).join(' ')
  const sentences = [
    ...(open > 0 ? [`Sharing ${of(open)} with everyone.`] : []),
    ...(trusted > 0 ? [`Sharing ${of(trusted)} with the peers you trust.`] : []),
    ...(mine > 0 ? [`${of(mine)} ${mine === 1 ? 'is' : 'are'} usable on this computer.`] : []),
    ...(mine > 0 && open + trusted === 0
      ? [`Share ${mine === 1 ? 'it' : 'them'}: \`ocf share ${port} ${which} --with everyone\`.`]
      : []),
    `\`ocf unshare ${port}\` ends it.`,
  ]
  return `${printable(sentences.join(' '))}\n`
}

/** What there is to choose from, and how to. */
function whichText({ name, address, port, models }: DetectedServer): string {
  const [first] = models
  return (
    `${printable(name)} at ${address} has ${counted(models.length, 'model')}:\n${idList(models)}` +
    `Say which: \`ocf share ${port} --model ${printable(first?.id ?? 'NAME')}\`, or \`--all\`; ` +
    'and with whom: `--with me`, `trusted` or `everyone`. Nothing was shared.\n'
  )
}

const visibilityIn = (value: unknown): Visibility | undefined => VISIBILITIES.find((one) => one === value)

/** `ocf unshare [ADDRESS]`: stops sharing a server. */
export async function runUnshare(
  needs: { io: CliIo; client: ControlClient },
  options: { target: string | undefined },
): Promise<number> {
  const { io, client } = needs
  const shares = new Set((await client.call('shares.list', {})).map(({ id }) => id))
  const services = (await client.call('services.list', {})).filter(({ id, published }) => published || shares.has(id))
  const { target } = options
  const wanted = target === undefined ? undefined : readAddress(target)
  const meant = services.filter(({ id, address }) => {
    if (target === undefined || id === target || address === target) return true
    const at = readAddress(address)
    return at !== undefined && at.port === wanted?.port && (wanted.host === 'localhost' || wanted.host === at.host)
  })
  const [service, ...others] = meant
  if (service === undefined) {
    io.stderr.write(noSuchShare(target, services))
    return EXIT.failed
  }
  if (others.length > 0) {
    io.stderr.write(`Several are shared; say which one:\n${idList(meant)}`)
    return EXIT.failed
  }
  const { untilRestart, problem } = await client.call('shares.remove', { id: service.id })
  const ended = `${printable(service.id)} is no longer shared.`
  if (problem !== null) {
    io.stderr.write(`${ended} ${printable(problem)}\n`)
    return EXIT.failed
  }
  io.stdout.write(`${ended}${untilRestart ? ' It is in the settings and comes back with the next start.' : ''}\n`)
  return EXIT.ok
}

/** Why nothing can be stopped, with what there is. */
function noSuchShare(target: string | undefined, shared: readonly { id: string }[]): string {
  if (target === undefined || shared.length === 0) return 'Nothing is shared. `ocf share` shares a server.\n'
  return `${quote(target)} is not shared. Shared ${shared.length === 1 ? 'is' : 'are'}:\n${idList(shared)}`
}

const idList = (services: readonly { id: string }[]): string =>
  services.map(({ id }) => `  ${printable(id)}\n`).join('')

/** The one server that can be shared; where it is not exactly one, an error lists them. */
async function theOnlyServer(needs: {
  io: CliIo
  client: ControlClient
}): Promise<{ host: string; port: number } | undefined> {
  const { io, client } = needs
  const servers = await client.call('detection.scan', {})
  const usable = servers.filter(({ models }) => models.length > 0)
  const [only] = usable
  if (only !== undefined && usable.length === 1) return { host: only.host, port: only.port }
  io.stderr.write(serversText(await withShares(client, servers), mayColour(io)))
  if (usable.length > 1) io.stderr.write('Say which one: `ocf share PORT`.\n')
  return undefined
}

/** The server there, with its models; throws where it has none to share. */
async function serverAt(
  client: ControlClient,
  target: { host: string; port: number },
  apiKey: string | undefined,
): Promise<DetectedServer> {
  const server: DetectedServer = await client.call('detection.type-in', {
    ...target,
    ...(apiKey === undefined ? {} : { apiKey }),
  })
  // Typed in only to ask: the list on screen stays what it was.
  await client.call('detection.forget', { address: server.address })
  if (server.models.length > 0) return server
  if (server.state === 'needs-key') {
    const problem = `The server at ${server.address} wants a key. Write it into a file and add \`--key-file FILE\`.`
    throw new AppError('invalid_service', apiKey === undefined ? problem : `${server.address} does not take this key.`)
  }
  throw new AppError('invalid_service', server.problem ?? `The server at ${server.address} has no models.`)
}

/** `11434`, `localhost:11434` or `http://localhost:11434/v1`. */
function readTarget(text: string, host: unknown): { host: string; port: number } {
  const address = readAddress(text)
  if (address === undefined) {
    const example = 'give 11434, localhost:11434 or http://localhost:11434'
    throw new AppError('invalid_settings', `${quote(text)} is not a port, or an address with one: ${example}.`)
  }
  if (typeof host !== 'string') return address
  if (/^\d+$/.test(text.trim())) return { host, port: address.port }
  throw new AppError(
    'invalid_settings',
    `${quote(text)} says where the server is, and so does --host. Give one of them.`,
  )
}

function readKey(io: CliIo, file: string): string {
  const text = io.readFile === undefined ? readFileSync(file, 'utf8') : io.readFile(file)
  const key = text?.trim() ?? ''
  if (key !== '') return key
  throw new AppError('invalid_settings', `${file} holds no key.`)
}

const textsOf = (value: unknown): string[] => [value].flat().filter((entry) => typeof entry === 'string')

const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

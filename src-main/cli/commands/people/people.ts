import type { Person } from '#shared/contract/people/people.js'
import { AppError } from '#shared/errors.js'
import { since } from '#shared/figures.js'
import { cleanName } from '#shared/person-names.js'
import { quote } from '../../../config/index.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { PEER_ID } from '../../peer-names.js'
import { mayColour, textTable } from '../../table.js'

interface PeopleNeeds {
  io: CliIo
  client: ControlClient
}

const HOW: Readonly<Record<Person['trustedBy'], string>> = {
  invited: 'came with an invite',
  accepted: 'invited you',
  code: 'by a code',
  hand: 'by hand',
  settings: 'by the settings',
}

/** `ocf people`: the peers that the running node trusts. */
export async function runPeople({ io, client }: PeopleNeeds, options: { json: boolean }): Promise<number> {
  const people = await client.call('people.list', {})
  if (options.json) io.stdout.write(`${JSON.stringify(people, null, 2)}\n`)
  else if (people.length === 0) {
    io.stdout.write('You do not trust anyone yet. `ocf invite` makes an invite, `ocf join` takes one.\n')
  } else {
    const rows = people.map((person) => [person.label, person.peerId, HOW[person.trustedBy], seenText(person)])
    io.stdout.write(textTable(['NAME', 'PEER', 'TRUSTED', 'SEEN'], rows, { colour: mayColour(io) }))
  }
  return EXIT.ok
}

function seenText({ connected, lastSeenMs }: Person): string {
  if (connected) return 'connected'
  return lastSeenMs === null ? 'never' : `${since(lastSeenMs, Date.now())} ago`
}

/** `ocf trust PEER [--name NAME]` */
export async function runTrust(
  { io, client }: PeopleNeeds,
  options: { peer: string; own: Readonly<Record<string, unknown>> },
): Promise<number> {
  const { peer, own } = options
  const name = typeof own.name === 'string' ? own.name : undefined
  const { person } = await client.call('people.trust', { peer, ...(name === undefined ? {} : { name }) })
  io.stdout.write(
    `${printable(person.label)} (${person.peerId}) is trusted. To be trusted in return, send an invite.\n`,
  )
  return EXIT.ok
}

/** `ocf untrust PEER`; the peer may also be given by its name. */
export async function runUntrust({ io, client }: PeopleNeeds, options: { peer: string }): Promise<number> {
  const peer = await peerOf(client, options.peer)
  const { untrusted, openInviteId } = await client.call('people.untrust', { peer })
  io.stdout.write(`${printable(untrusted.label)} is no longer trusted; what ran between you has ended.\n`)
  if (openInviteId !== null) {
    const id = openInviteId.slice(0, 8)
    io.stderr.write(`Others may still come with the invite it used: \`ocf invite --revoke ${id}\` takes that back.\n`)
  }
  return EXIT.ok
}

/** `ocf name [PEER] [NAME]`: what this node calls itself, or what a trusted peer is called here. */
export async function runName(needs: PeopleNeeds, options: { args: readonly string[] }): Promise<number> {
  const { io, client } = needs
  const [first, second] = options.args
  if (first !== undefined && second !== undefined) {
    const { person } = await client.call('people.rename', { peer: await peerOf(client, first), name: second })
    io.stdout.write(`${person.peerId} is shown as ${printable(person.label)}.\n`)
    return EXIT.ok
  }
  const isPeer = first !== undefined && PEER_ID.test(first)
  if (isPeer) {
    const people = await client.call('people.list', {})
    const person = people.find(({ peerId }) => peerId === first)
    if (person === undefined) throw new AppError('not_found', 'This peer is not among those you trust.')
    const own = person.ownName === null ? 'it does not say what it is called' : `it calls itself ${person.ownName}`
    io.stdout.write(`${printable(person.label)}; ${printable(own)}.\n`)
    return EXIT.ok
  }
  const { name } =
    first === undefined
      ? await client.call('people.ownName', {})
      : await client.call('people.setOwnName', { name: first })
  io.stdout.write(name === '' ? 'This node sends no name.\n' : `${printable(name)}\n`)
  return EXIT.ok
}

/** The peer id behind an id, a name or the end of an id, as `ocf people` shows them. @throws AppError `not_found` */
async function peerOf(client: ControlClient, text: string): Promise<string> {
  if (PEER_ID.test(text)) return text
  const people = await client.call('people.list', {})
  const wanted = cleanName(text).toLowerCase()
  const names = ({ label, givenName, ownName }: Person): string[] =>
    [label, givenName ?? '', ownName ?? ''].map((name) => name.toLowerCase())
  const end = text.replace(/^…/, '')
  const found = people.filter(
    (person) => names(person).includes(wanted) || (end.length >= 6 && person.peerId.endsWith(end)),
  )
  const [person] = found
  if (person !== undefined && found.length === 1) return person.peerId
  const why = found.length > 1 ? 'More than one is called' : 'You do not trust anyone called'
  throw new AppError('not_found', `${why} ${quote(text)}. \`ocf people\` lists them with their peer ids.`)
}

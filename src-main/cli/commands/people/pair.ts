import { setTimeout as delay } from 'node:timers/promises'
import type { Nearby, Pairing } from '#shared/contract/people/pairing.js'
import { AppError } from '#shared/errors.js'
import { since } from '#shared/figures.js'
import { cleanName, shortId } from '#shared/person-names.js'
import { quote, type SettingProblem } from '../../../config/index.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { mayColour, textTable } from '../../table.js'

/** The options only `ocf pair` has. */
export const PAIR_OPTIONS: [flags: string, help: string][] = [
  ['--yes [code]', 'Confirms that both screens show this code.'],
  ['--refuse', 'Refuses: nothing is changed.'],
]

/** What is wrong with those. */
export function pairProblems({ yes, refuse }: Readonly<Record<string, unknown>>): SettingProblem[] {
  if (yes === true) return [{ source: 'flag --yes', sentence: 'It needs the code: --yes 123456.' }]
  return yes !== undefined && refuse === true ? [{ source: 'flag --refuse', sentence: 'It contradicts --yes.' }] : []
}

interface PairNeeds {
  io: CliIo
  client: ControlClient
}

const POLL_MS = 250

/** `ocf pair [WHO]`: who is nearby, or the code to compare with one of them, and the question whether it is the same. */
export async function runPair(
  needs: PairNeeds,
  options: { who: string | undefined; own: Readonly<Record<string, unknown>>; json: boolean },
): Promise<number> {
  const { who, own, json } = options
  if (who === undefined) return await list(needs, json)
  const { client } = needs
  const peer = await peerOf(client, who)
  if (own.refuse === true) {
    return told(needs, await client.call('people.refusePairing', { peer }), { isGood: () => true, json })
  }
  if (typeof own.yes === 'string') {
    await client.call('people.confirmPairing', { peer, code: own.yes })
    return await answered(needs, peer, json)
  }
  await client.call('people.pair', { peer })
  const pairing = await untilChanged(client, peer, ({ state }) => state !== 'reaching')
  if (pairing.state === 'over') return told(needs, pairing, { json })
  return await compare(needs, pairing, json)
}

/** Somebody else asked, and the person here has not answered. */
const isWaiting = ({ direction, state }: Pairing): boolean => direction === 'incoming' && state === 'compare'

async function list({ io, client }: PairNeeds, json: boolean): Promise<number> {
  const waiting = (await client.call('people.pairings', {})).filter(isWaiting)
  const nearby = await client.call('people.nearby', {})
  if (json) {
    io.stdout.write(`${JSON.stringify({ waiting, nearby }, null, 2)}\n`)
    return EXIT.ok
  }
  for (const pairing of waiting) {
    io.stdout.write(
      `${labelOf(pairing)} asks to pair and shows ${pairing.code ?? ''}: \`ocf pair ${endOf(pairing)}\`.\n`,
    )
  }
  if (nearby.length === 0) {
    io.stdout.write(
      'No other node was found on this local network. It has to run there, in the mode node. For a computer elsewhere, use `ocf invite`.\n',
    )
    return EXIT.ok
  }
  const rows = nearby.map((peer) => [nameOf(peer), peer.peerId, peer.address, stateOf(peer)])
  io.stdout.write(textTable(['NAME', 'PEER', 'ADDRESS', 'SEEN'], rows, { colour: mayColour(io) }))
  io.stderr.write('`ocf pair` with the end of a peer id shows a code on both screens.\n')
  return EXIT.ok
}

const nameOf = ({ name }: Nearby): string => name ?? 'unknown'

const stateOf = ({ trusted, sinceMs }: Nearby): string =>
  `${trusted ? 'trusted, ' : ''}for ${since(sinceMs, Date.now())}`

const endOf = ({ peerId }: Pairing): string => peerId.slice(-6)

const labelOf = ({ name, peerId, address }: Pairing): string =>
  `${printable(name ?? 'Unknown')} ${shortId(peerId)}${address === '' ? '' : ` at ${printable(address)}`}`

/** Shows the code and asks; where no person can be asked, says how to answer. */
async function compare(needs: PairNeeds, pairing: Pairing, json: boolean): Promise<number> {
  const { io, client } = needs
  const { peerId: peer, code } = pairing
  if (json) {
    io.stdout.write(`${JSON.stringify(pairing, null, 2)}\n`)
    return EXIT.ok
  }
  io.stdout.write(`${labelOf(pairing)}: ${code ?? ''}\n`)
  if (io.ask === undefined) {
    const end = endOf(pairing)
    io.stderr.write(
      `Where the other screen shows the same: \`ocf pair ${end} --yes ${code?.replace(' ', '') ?? ''}\`. Otherwise: \`ocf pair ${end} --refuse\`. It ends after two minutes.\n`,
    )
    return EXIT.ok
  }
  const question = new AbortController()
  const over = untilChanged(client, peer, ({ state }) => state === 'over', question.signal)
  void over.then(
    () => question.abort(),
    () => question.abort(),
  )
  const answer = await io.ask(`Do both screens show ${code ?? ''}? [y/n] `, question.signal)
  const isOver = question.signal.aborted
  question.abort()
  if (!isOver && code !== null && /^y(es)?$/i.test(answer?.trim() ?? '')) {
    await client.call('people.confirmPairing', { peer, code })
  } else if (!isOver) {
    // Only a clear no says that somebody may be in between.
    await client.call('people.refusePairing', { peer, differ: /^no?$/i.test(answer?.trim() ?? '') })
  }
  return await answered(needs, peer, json)
}

/** Waits for the other person. */
async function answered(needs: PairNeeds, peer: string, json: boolean): Promise<number> {
  const { io, client } = needs
  const isOver = ({ state }: Pairing): boolean => state === 'over'
  const [first] = (await client.call('people.pairings', {})).filter(({ peerId }) => peerId === peer)
  if (first !== undefined && !isOver(first)) io.stderr.write('Waiting for the other person …\n')
  return told(needs, await untilChanged(client, peer, isOver), { json })
}

function told(
  { io }: PairNeeds,
  pairing: Pairing,
  { isGood = isPaired, json }: { isGood?: (pairing: Pairing) => boolean; json: boolean },
): number {
  const good = isGood(pairing)
  const sentence = printable(pairing.sentence ?? '')
  if (json) io.stdout.write(`${JSON.stringify(pairing, null, 2)}\n`)
  else if (good) io.stdout.write(`${sentence}\n`)
  else io.stderr.write(`error: ${sentence}\n`)
  return good ? EXIT.ok : EXIT.failed
}

const isPaired = ({ ending }: Pairing): boolean => ending === 'trusted' || ending === 'unsure'

/** Waits until it is so. The node ends every pairing after two minutes. @throws AppError `not_found` where there is none */
async function untilChanged(
  client: ControlClient,
  peer: string,
  isSo: (pairing: Pairing) => boolean,
  signal?: AbortSignal,
): Promise<Pairing> {
  for (;;) {
    const pairing = (await client.call('people.pairings', {})).find(({ peerId }) => peerId === peer)
    if (pairing === undefined) throw new AppError('not_found', 'The node no longer knows of this pairing.')
    if (isSo(pairing) || signal?.aborted === true) return pairing
    await delay(POLL_MS)
  }
}

/** A node nearby by its id, the end of it, its name or its address. @throws AppError `not_found` */
async function peerOf(client: ControlClient, text: string): Promise<string> {
  const nearby = await client.call('people.nearby', {})
  const pairings = (await client.call('people.pairings', {})).filter(({ state }) => state !== 'over')
  const wanted = cleanName(text).toLowerCase()
  const end = text.replace(/^…/, '')
  const isMeant = ({ peerId, name, address }: Pick<Nearby, 'peerId' | 'name' | 'address'>): boolean =>
    peerId === text || (end.length >= 6 && peerId.endsWith(end)) || name?.toLowerCase() === wanted || address === text
  const [peer, another] = new Set([...pairings, ...nearby].filter(isMeant).map(({ peerId }) => peerId))
  if (peer !== undefined && another === undefined) return peer
  const why = another === undefined ? 'No node nearby is' : 'More than one node nearby is'
  throw new AppError('not_found', `${why} ${quote(text)}. \`ocf pair\` lists them with their peer ids.`)
}

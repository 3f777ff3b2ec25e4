import { NO_PEERS_YET, type Status } from '#shared/contract/node/node.js'
import { counted, momentText, numberText, since } from '#shared/figures.js'
import { PATH_WORDS } from '#shared/path-order.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { mayColour, textTable } from '../../table.js'

/** `ocf status`: who the running node is and how it fares. */
export async function runStatus(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean },
): Promise<number> {
  const { io, client } = needs
  const status = await client.call('node.status', {})
  if (options.json) io.stdout.write(`${JSON.stringify(status, null, 2)}\n`)
  else {
    // The link holds a secret: it is for a person's eyes, not for a file or a journal.
    const dashboard = io.stdout.isTTY === true ? await client.dashboard({ replace: false }) : '`ocf open` shows it'
    io.stdout.write(statusText({ status, dashboard }, Date.now(), mayColour(io)))
  }
  return EXIT.ok
}

function statusText(
  { status, dashboard }: { status: Status; dashboard: string },
  nowMs: number,
  colour: boolean,
): string {
  const { models, requestsToday, state } = status
  const facts = [
    ['Base URL', status.gatewayUrl === null ? 'none yet' : `${status.gatewayUrl}/v1`],
    ['Dashboard', dashboard],
    ['Peers', `${numberText(status.peers)} connected${pathsOf(status)}, ${numberText(status.knownPeers)} known`],
    ['Models', `${numberText(models.available)} available, ${numberText(models.shared)} shared`],
    ['Today', requestsLine(requestsToday)],
    ...goNetworkFacts(status),
    ['Reached at', addressesLine(status.multiaddrs)],
    ['Node', `${status.peerId} · ${status.version}${modeText(status)} · up ${since(status.startedAtMs, nowMs)}`],
  ]
  const notices = (status.notices ?? []).map(({ sentence }) => `${printable(sentence)}\n`).join('')
  return `${headline(status, state)}\n${notices}${textTable([], facts, { colour })}`
}

/** Its part in the unsigned network of the Go program, where it takes one. */
function goNetworkFacts({ goNetwork }: Status): [string, string][] {
  if (goNetwork === undefined) return []
  const { nodes, providers, shared } = goNetwork
  const offered =
    shared === undefined
      ? ''
      : `; ${counted(shared.models, 'model')} offered there, listed by ${shared.listedBy} of ${counted(shared.listedBy + shared.notListedBy, 'node')} asked`
  const builds = (shared?.notListedBy ?? 0) > 0 ? ' (by default its nodes list signed builds alone)' : ''
  return [
    ['OpenTela', `unsigned network: ${counted(nodes, 'node')}, ${counted(providers, 'provider')}${offered}${builds}`],
  ]
}

/** The usual mode needs no word. */
const modeText = ({ mode }: Status): string => (mode === 'node' ? '' : ` · mode ${mode}`)

/** The address that others most likely reach, and how many there are besides. */
function addressesLine(addresses: readonly string[]): string {
  const [best] = addresses.toSorted((a, b) => distance(a) - distance(b))
  const more = addresses.length - 1
  return best === undefined ? 'no address yet' : `${best}${more > 0 ? ` +${more}` : ''}`
}

/** Addresses of this machine alone come last, and those behind a relay before them. */
const distance = (address: string): number =>
  /^\/(?:ip4\/127\.|ip6\/::1\/)/.test(address) ? 2 : address.includes('/p2p-circuit') ? 1 : 0

/** ` (2 direct over QUIC, 1 relayed)`; empty without peers. */
function pathsOf({ paths }: Status): string {
  return paths.length === 0
    ? ''
    : ` (${paths.map(({ path, peers }) => `${numberText(peers)} ${PATH_WORDS[path]}`).join(', ')})`
}

/** The sentence of the status pill. */
function headline(status: Status, state: Status['state']): string {
  const { models, peers } = status
  const path = state.path === null ? '' : ` · ${state.path}`
  const cause = state.cause === undefined ? '' : `, but ${printable(state.cause.sentence)}: see \`ocf doctor\``
  switch (state.kind) {
    case 'paused':
      return `Sharing paused${pauseText(state.pause)}`
    case 'sharing':
      return `Sharing ${counted(models.shared, 'model')}${path} · ${counted(peers, 'peer')}${cause}`
    case 'connected':
      return `Connected${path} · ${counted(peers, 'peer')}; nothing is shared${cause}`
    case 'alone':
      return `Not connected: ${printable(state.cause?.sentence ?? 'no peer answers yet')}. \`ocf doctor\` says more.${status.mode === 'node' ? `\n${NO_PEERS_YET}` : ''}`
    case 'standalone':
      return 'Standalone: this node connects to no one.'
  }
}

/** `: you paused it · resumes at 02:16` */
function pauseText(pause: Status['state']['pause']): string {
  if (pause === undefined) return ''
  const until = pause.untilMs === null ? '' : ` · resumes at ${momentText(pause.untilMs, Date.now())}`
  return `: ${printable(pause.sentence)}${until}`
}

function requestsLine({ out, in: inward, local, unanswered }: Status['requestsToday']): string {
  return `${numberText(out)} out, ${numberText(inward)} in, ${numberText(local)} local${unanswered > 0 ? `, ${numberText(unanswered)} unanswered` : ''}`
}

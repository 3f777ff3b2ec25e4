import { NO_PEERS_YET, type Status } from '#shared/contract/node/node.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { counted, mayColour, since, textTable } from '../../table.js'

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
    ['Node', status.peerId],
    ['Version', status.version],
    ['Running for', since(status.startedAtMs, nowMs)],
    ['Base URL', status.gatewayUrl === null ? 'none yet' : `${status.gatewayUrl}/v1`],
    ['Dashboard', dashboard],
    ['Mode', status.mode],
    ['Peers', `${status.peers} connected${pathsOf(status)}, ${status.knownPeers} known`],
    ['Models', `${models.available} available, ${models.shared} shared`],
    ['Requests today', requestsLine(requestsToday)],
    ...status.multiaddrs.map((address, index) => [index === 0 ? 'Addresses' : '', address]),
  ]
  const notices = (status.notices ?? []).map(({ sentence }) => `${sentence}\n\n`).join('')
  return `${headline(status, state)}\n\n${notices}${textTable([], facts, { colour })}`
}

/** ` (2 direct-quic, 1 relayed)`; empty without peers. */
function pathsOf({ paths }: Status): string {
  return paths.length === 0 ? '' : ` (${paths.map(({ path, peers }) => `${peers} ${path}`).join(', ')})`
}

/** The sentence of the status pill. */
function headline(status: Status, state: Status['state']): string {
  const { models, peers } = status
  const path = state.path === null ? '' : ` · ${state.path}`
  const cause = state.cause === undefined ? '' : `, but ${state.cause.sentence}: see \`ocf doctor\``
  switch (state.kind) {
    case 'paused':
      return `Paused: ${state.pause?.sentence ?? 'sharing is off for now'}${path}`
    case 'sharing':
      return `Sharing ${counted(models.shared, 'model')}${path} · ${counted(peers, 'peer')}${cause}`
    case 'connected':
      return `Connected${path} · ${counted(peers, 'peer')}; nothing is shared${cause}`
    case 'alone':
      return `Not connected: ${state.cause?.sentence ?? 'no peer answers yet'}. \`ocf doctor\` says more.${status.mode === 'node' ? `\n${NO_PEERS_YET}` : ''}`
    case 'standalone':
      return 'Standalone: this node connects to no one.'
  }
}

function requestsLine({ out, in: inward, local, unanswered }: Status['requestsToday']): string {
  return `${out} out, ${inward} in, ${local} local${unanswered > 0 ? `, ${unanswered} unanswered` : ''}`
}

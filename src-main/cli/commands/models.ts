import type { ModelProvider, ModelView } from '#shared/contract/models/models.js'
import type { PeerView } from '#shared/contract/network/peers.js'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import { counted, numberText, speedText } from '#shared/figures.js'
import { comparePaths, PATH_WORDS } from '#shared/path-order.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { mayColour, textTable } from '../table.js'

/** Requests that are looked at for a model's speed. */
const MEASURED_REQUESTS = 1_000

/** `ocf models`: what can be used now through the running node's gateway. */
export async function runModels(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean },
): Promise<number> {
  const { io, client } = needs
  const models = await client.call('models.list', {})
  if (options.json) {
    io.stdout.write(`${JSON.stringify(models, null, 2)}\n`)
    return EXIT.ok
  }
  if (models.length === 0) {
    io.stdout.write('No model is available yet. Share one of this machine, or wait until a peer offers one.\n')
    return EXIT.ok
  }
  const peers = await client.call('peers.list', {})
  const requests = await client.call('traffic.recent', { limit: MEASURED_REQUESTS })
  io.stdout.write(modelsText(models, { peers, requests }, mayColour(io)))
  return EXIT.ok
}

interface Seen {
  peers: readonly PeerView[]
  requests: readonly TrafficEntry[]
}

function modelsText(models: readonly ModelView[], { peers, requests }: Seen, colour: boolean): string {
  const speeds = speedsOf(requests)
  const byId = new Map(peers.map((peer) => [peer.peerId, peer]))
  const rows = models.map((model) => [
    model.id,
    pathOf(model, byId),
    speeds.get(model.id) ?? '',
    loadOf(model),
    providersOf(model),
    model.visibility === null ? '' : SHARED_WITH[model.visibility],
    model.contextLength === undefined ? '' : counted(model.contextLength, 'token'),
  ])
  const head = ['MODEL', 'PATH', 'SPEED', 'LOAD', 'PROVIDERS', 'THIS MACHINE', 'CONTEXT']
  return textTable(head, rows, { colour })
}

const SHARED_WITH = { me: 'not shared', trusted: 'shared with trusted', everyone: 'shared' } as const

/** `3`, or `3, 1 trusted` where peers that the person trusts are among them. */
function providersOf({ providers }: ModelView): string {
  const trusted = providers.filter((provider) => provider.trusted && !provider.self).length
  const unsigned = providers.filter((provider) => provider.unsigned === true).length
  const others = `${trusted === 0 ? '' : `, ${numberText(trusted)} trusted`}${unsigned === 0 ? '' : `, ${numberText(unsigned)} unsigned`}`
  return `${numberText(providers.length)}${others}`
}

/** `this computer`, the best path to a provider, or `unreachable` where none is connected. */
function pathOf({ local, providers }: ModelView, peers: ReadonlyMap<string, PeerView>): string {
  if (local) return 'this computer'
  const connected = providers.filter((provider) => provider.connected)
  const [best] = connected.flatMap(({ peerId }) => peers.get(peerId)?.paths ?? []).toSorted(comparePaths)
  if (connected.length === 0) return 'unreachable'
  return best === undefined ? 'connected' : PATH_WORDS[best]
}

/** `2 of 4 +3`: slots in use and requests that wait, of all providers that told; `paused` where all of those are. */
function loadOf({ providers }: ModelView): string {
  const loads = providers.filter(({ connected }) => connected).flatMap(({ load }) => (load === null ? [] : [load]))
  const open = loads.filter(({ paused }) => !paused)
  if (open.length === 0) return loads.length === 0 ? '' : 'paused'
  const used = sum(open.map(usedOf))
  const waiting = sum(open.map((load) => Math.max(0, load.queueLength - usedOf(load))))
  const isLimited = open.every(({ slotsTotal }) => slotsTotal !== null)
  const total = isLimited ? ` of ${sum(open.map(({ slotsTotal }) => slotsTotal ?? 0))}` : ''
  return `${used}${total}${waiting === 0 ? '' : ` +${waiting}`}`
}

/** Where there is no limit, everything that is there runs. */
const usedOf = ({ slotsTotal, slotsFree, queueLength }: NonNullable<ModelProvider['load']>): number =>
  slotsTotal === null || slotsFree === null ? queueLength : slotsTotal - slotsFree

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** The median speed of the answers that came lately, by model: `41 tokens/s`. */
function speedsOf(requests: readonly TrafficEntry[]): ReadonlyMap<string, string> {
  const answered = requests.filter(
    ({ direction, status, model }) => direction !== 'in' && status === 200 && model !== null,
  )
  const groups = Map.groupBy(answered, ({ model }) => model ?? '')
  const speeds = new Map<string, string>()
  for (const [model, entries] of groups) {
    const known = entries.flatMap(speedOf).toSorted((a, b) => a - b)
    const middle = known[Math.floor((known.length - 1) / 2)]
    if (middle !== undefined) speeds.set(model, speedText(middle))
  }
  return speeds
}

function speedOf({ tokens, ttfbMs, durationMs }: TrafficEntry): number[] {
  if (tokens === null || ttfbMs === null || durationMs === null || durationMs <= ttfbMs) return []
  return [(tokens * 1000) / (durationMs - ttfbMs)]
}

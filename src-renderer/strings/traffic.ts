import { count, formatNumber } from './format.js'

/** A separator stays with what is before it. */
const DOT = '\u00a0· '

/** Words of the Traffic page. */
export const trafficStrings = {
  sentence: (inward: number, out: number, local: number, unanswered: number) => {
    const all = inward + out + local + unanswered
    if (all === 0) return 'No requests went through this node today.'
    const none = unanswered === 0 ? '' : `${DOT}${formatNumber(unanswered)} unanswered`
    const [toPeers, fromPeers, here] = [out, inward, local].map((n) => formatNumber(n))
    return `${count(all, 'request')} today: ${toPeers} to peers${DOT}${fromPeers} from peers${DOT}${here} local${none}.`
  },
  unanswered: 'No one',
  unansweredHint: 'No provider was asked, because no one offers it.',
  empty: 'No requests yet.',
  emptyHint: 'Send one with an example from the Home page; it appears here while it runs.',
  pause: 'Pause list',
  resume: (fresh: number) => (fresh === 0 ? 'Resume list' : `Resume list (${fresh} new)`),
  direction: { out: 'Out', in: 'In', local: 'Local' },
  directionHint: {
    out: 'An app on this computer used a peer.',
    in: 'A peer used this computer.',
    local: 'An app on this computer used this computer.',
  },
  path: {
    'direct-quic': 'QUIC',
    'direct-tcp': 'TCP',
    'direct-ws': 'WebSocket',
    'hole-punched': 'Hole punched',
    relayed: 'Relayed',
  },
  keyHint: 'The API key of the app. Apps that show none have no name here.',
  bytes: (bytes: string) => `The answer has ${bytes}.`,
  running: 'running',
  cancelled: {
    client: 'The app disconnected.',
    provider: 'The provider stopped answering.',
    node: 'This node was stopped.',
  },
  cancelledShort: 'cancelled',
  column: {
    time: 'Time',
    direction: 'Direction',
    model: 'Model',
    peer: 'Peer',
    key: 'API key',
    path: 'Path',
    status: 'Status',
    ttft: 'First byte',
    duration: 'Duration',
    tokens: 'Tokens',
    speed: 'Tokens/s',
    tries: 'Attempts',
  },
  open: (clock: string) => `Request of ${clock}`,
  shown: (n: number, all: number) =>
    n === all ? count(n, 'request') : `${formatNumber(n)} of ${count(all, 'request')}`,
  noMatch: 'No matching requests.',
  search: 'Model, peer, API key or cause',
  filter: {
    direction: { label: 'Direction', all: 'All', out: 'Out', in: 'In', local: 'Local' },
    outcome: { label: 'Outcome', all: 'All', failed: 'Failed', unanswered: 'Unanswered' },
  },
  range: { label: 'Time', '5m': '5 min', '1h': '1 h', '24h': '24 h', '30d': '30 d' },
  chart: {
    requests: 'Requests',
    requestsUnit: (step: string) => `per ${step}`,
    tokens: 'Completion tokens',
    latency: 'Time to the first byte',
    latencyOf: 'median, and 95 % of all',
    slow: '95 % faster than',
    failed: 'Failed',
    given: 'Served',
    used: 'Used',
    none: 'No requests in this period.',
    summary: (title: string, total: string) => `${title}: ${total}. The list above has the figures.`,
  },
  step: (ms: number) => {
    if (ms < 60_000) return ms === 1000 ? 'second' : `${ms / 1000} s`
    if (ms < 3_600_000) return ms === 60_000 ? 'minute' : `${ms / 60_000} min`
    if (ms < 86_400_000) return ms === 3_600_000 ? 'hour' : `${ms / 3_600_000} h`
    return 'day'
  },
  figures: 'Summary',
  percentiles: {
    ttfb: 'First byte',
    of: { out: '– from peers', in: '– for peers', local: '– local' },
    duration: 'Duration',
    label: 'Times',
    hint: (percent: number) => `${percent} of 100 requests were faster.`,
  },
  total: {
    ok: 'Answered',
    failed: 'Failed',
    cancelled: 'Cancelled',
    tokensUsed: 'Tokens you used',
    tokensGiven: 'Tokens served',
  },
  apps: {
    title: 'By app',
    of: (requests: number) => `of the last ${count(requests, 'request')}`,
    app: 'API key',
    none: 'Without a key',
    requests: 'Requests',
    failed: 'Failed',
    tokens: 'Completion tokens',
  },
  errors: 'Failures by cause',
  noErrors: 'No failures in this period.',
  httpError: (status: string) => `The server answered ${status}`,
  detail: {
    title: 'Request',
    when: 'Time',
    way: 'Direction',
    what: 'Request',
    model: 'Model',
    key: 'API key',
    peer: 'Peer',
    path: 'Path',
    outcome: 'Outcome',
    ttft: 'First byte',
    duration: 'Duration',
    tokensIn: 'Prompt tokens',
    tokensOut: 'Completion tokens',
    counted: 'counted here',
    reported: 'reported by the server',
    bytes: 'Bytes',
    bytesValue: (inward: string, out: string) => `${inward} sent, ${out} received`,
    candidates: 'Providers known',
    considered: 'Expected wait at the best',
    waits: (ms: { total: string; rtt: string; fixed: string; read: string; queue: string }, unread: string) =>
      `${ms.total}: distance ${ms.rtt}, start ${ms.fixed}, ${unread} unread tokens ${ms.read}, queue ${ms.queue}`,
    hangs: (ms: string) => `a request has been stuck there for ${ms}`,
    tries: 'Attempts',
    id: 'Request id',
    idHint: 'Headers, logs and errors carry the same id.',
    legs: 'Attempts',
    noLegs: 'No provider was asked.',
    local: 'This computer',
    connect: (ms: string) => `connected after ${ms}`,
    first: (ms: string) => `answered after ${ms}`,
    gone: 'This request is no longer in the list.',
  },
}

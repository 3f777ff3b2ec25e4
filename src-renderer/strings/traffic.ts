import { count } from './format.js'

/** Words of the Traffic page. */
export const trafficStrings = {
  sentence: (inward: number, out: number, local: number) => {
    const all = inward + out + local
    if (all === 0) return 'No request went through this node today.'
    return `${count(all, 'request')} today: ${out} answered by peers, ${inward} for peers, ${local} by this computer.`
  },
  empty: 'No request yet.',
  emptyHint: 'Send one with the example on the Home page: it appears here while it runs.',
  pause: 'Pause list',
  resume: (fresh: number) => (fresh === 0 ? 'Resume list' : `Resume list (${fresh} new)`),
  direction: { out: 'Out', in: 'In', local: 'Local' },
  directionHint: {
    out: 'An app of this computer used a peer.',
    in: 'A peer used this computer.',
    local: 'An app of this computer used this computer.',
  },
  path: {
    'direct-quic': 'QUIC',
    'direct-tcp': 'TCP',
    'direct-ws': 'WebSocket',
    'hole-punched': 'Hole punched',
    relayed: 'Relayed',
  },
  bytes: (bytes: string) => `The answer has ${bytes}.`,
  running: 'running',
  cancelled: {
    client: 'The app that asked went away.',
    provider: 'The provider broke off.',
    node: 'This node was stopped.',
  },
  cancelledShort: 'cancelled',
  column: {
    time: 'Time',
    direction: 'Way',
    model: 'Model',
    peer: 'Peer',
    path: 'Path',
    status: 'Status',
    ttft: 'First byte',
    duration: 'Duration',
    tokens: 'Tokens',
    speed: 'Tokens/s',
    tries: 'Tries',
  },
  open: (clock: string) => `Request of ${clock}`,
  list: 'Requests',
  shown: (n: number, all: number) =>
    n === all ? count(n, 'request') : `${n.toLocaleString('en')} of ${count(all, 'request')}`,
  noMatch: 'No request fits this choice.',
  search: 'Model, peer or cause',
  filter: {
    direction: { label: 'Way', all: 'All', out: 'Out', in: 'In', local: 'Local' },
    outcome: { label: 'Outcome', all: 'All', failed: 'Failed' },
  },
  range: { label: 'Time', '5m': '5 min', '1h': '1 h', '24h': '24 h', '30d': '30 d' },
  chart: {
    requests: 'Requests',
    requestsUnit: (step: string) => `ended in each ${step}`,
    tokens: 'Tokens of answers',
    latency: 'Time to the first byte',
    failed: 'Failed',
    given: 'Given',
    used: 'Used',
    none: 'No request ended in this time.',
    summary: (title: string, total: string) => `${title}: ${total}. The figures stand in the list below.`,
  },
  step: (ms: number) => {
    if (ms < 60_000) return `${ms / 1000} s`
    if (ms < 3_600_000) return `${ms / 60_000} min`
    return ms < 86_400_000 ? `${ms / 3_600_000} h` : 'day'
  },
  figures: 'Figures',
  percentiles: {
    ttfb: 'First byte',
    duration: 'Duration',
    hint: 'Half of the requests were quicker than p50, 95 of 100 quicker than p95.',
  },
  total: {
    ok: 'Answered',
    failed: 'Failed',
    cancelled: 'Cancelled',
    tokensUsed: 'Tokens you used',
    tokensGiven: 'Tokens you gave',
  },
  errors: 'Why requests failed',
  noErrors: 'None failed in this time.',
  httpError: (status: string) => `The server answered ${status}`,
  detail: {
    title: 'Request',
    when: 'Time',
    way: 'Way',
    what: 'Request',
    model: 'Model',
    peer: 'Peer',
    path: 'Path',
    outcome: 'Outcome',
    ttft: 'First byte',
    duration: 'Duration',
    tokensIn: 'Tokens asked',
    tokensOut: 'Tokens answered',
    counted: 'counted here',
    told: 'told by the server',
    bytes: 'Bytes',
    bytesValue: (inward: string, out: string) => `${inward} asked, ${out} answered`,
    candidates: 'Providers known',
    tries: 'Tries',
    id: 'Request id',
    idHint: 'The same one stands in headers, logs and errors.',
    legs: 'Each try',
    noLegs: 'No provider was tried.',
    local: 'This computer',
    connect: (ms: string) => `connected after ${ms}`,
    first: (ms: string) => `answered after ${ms}`,
    gone: 'This request is no longer remembered.',
  },
}

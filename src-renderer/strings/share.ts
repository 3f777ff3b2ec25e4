import type { Visibility } from '#shared/contract/sharing/visibility.js'
import { count, formatDay, formatNumber, list } from './format.js'

const MINUTE_MS = 60_000

/** Models, by who may use them. */
type Counts = Readonly<Record<Visibility, number>>

/** Words of the Share page. */
export const shareStrings = {
  sentence: ({ me, trusted, everyone }: Counts, servers: number) => {
    const shared = everyone + trusted
    if (everyone > 0 && trusted > 0) {
      return `You share ${count(shared, 'model')}: ${everyone} with everyone, ${trusted} with people you trust.`
    }
    if (shared > 0) {
      return `You share ${count(shared, 'model')} with ${everyone > 0 ? 'everyone' : 'people you trust'}.`
    }
    if (me > 0) return `Your apps can use ${count(me, 'model')} on this computer. You share none with others.`
    return servers > 0
      ? 'Your server isn’t answering, so nothing is shared right now.'
      : 'You aren’t sharing anything yet.'
  },
  found: (servers: number) =>
    servers === 1
      ? 'One model server was found. Who may use it?'
      : `${servers} model servers were found. Who may use them?`,
  paused: (reason: string) => `Sharing is paused: ${reason}.`,
  pausedUntil: (reason: string, time: string) => `Sharing is paused: ${reason}. It resumes at ${time}.`,
  pausedHint: 'Peers ask elsewhere in the meantime; your own apps are not affected.',
  pausedBadge: 'Paused',
  down: (servers: readonly string[]) =>
    `${list(servers)} ${servers.length === 1 ? 'isn’t' : 'aren’t'} answering, so nothing is shared right now.`,
  downHint: (servers: readonly string[]) =>
    servers.length === 1
      ? 'Its models are withdrawn. They are shared again automatically as soon as it runs.'
      : 'Their models are withdrawn. They are shared again automatically as soon as one of them runs.',
  starting: (servers: readonly string[]) => `Waiting for a first answer from ${list(servers)}.`,
  startingHint: 'Sharing begins automatically as soon as it answers.',
  closed: 'You share models, but your limits refuse every request.',
  closedHint: 'Requests from peers at the same time are limited to 0.',
  closedAction: 'Change the limit',
  full: (slots: number) =>
    `All ${slots} slots and the queue are in use: further requests go to other peers until one is free.`,
  someDown: (servers: readonly string[]) =>
    `${list(servers)} stopped answering; ${servers.length === 1 ? 'its' : 'their'} models come back automatically. The others are shared.`,
  none: 'No model server was found on this computer.',
  noneHint:
    'Or start Ollama, LM Studio, llama.cpp, vLLM or another server; it appears here automatically. If it does not, enter its port below.',
  scan: 'Rescan',
  scanned: 'Rescanned.',
  shareModels: 'Share a model',
  /** What the button of a server's card will do. */
  action: ({ me, trusted, everyone }: Counts) => {
    if (everyone > 0 && trusted > 0) return `Share ${everyone} with everyone, ${trusted} with people you trust`
    if (everyone > 0) return `Share ${count(everyone, 'model')} with everyone`
    if (trusted > 0) return `Share ${count(trusted, 'model')} with people you trust`
    return me > 0 ? `Use ${count(me, 'model')} on this computer only` : 'Save selection'
  },
  chooseOne: 'Tick at least one model.',
  usableBy: ({ me, trusted, everyone }: Counts) =>
    [
      everyone > 0 ? `Everyone: ${everyone}` : '',
      trusted > 0 ? `People you trust: ${trusted}` : '',
      me > 0 ? `Only you: ${me}` : '',
    ]
      .filter((part) => part !== '')
      .join(' · '),
  stop: 'Stop sharing',
  stopped: 'Stopped. No one can use its models any more; your choices are remembered.',
  stoppedUntilRestart: 'Stopped until the next start: it is part of the configuration.',
  saved: ({ trusted, everyone }: Counts) => {
    if (everyone > 0) return 'Saved. Peers can use what you share from now on.'
    return trusted > 0 ? 'Saved. People you trust can use it from now on.' : 'Saved. Only your own apps can use it.'
  },
  whoMayUse: 'Who may use them',
  visibility: { me: 'Only me', trusted: 'People I trust', everyone: 'Everyone' },
  visibilityOf: (id: string) => `Who may use ${id}`,
  visibilityOfLater: 'Who may use models that are added later',
  visibilityMeans: {
    me: 'Your own apps use them through the base URL. No other computer sees them.',
    trusted: 'Only computers of people you have accepted can use them. No one else sees their names.',
    everyone: 'Every computer on the network sees their names and can use them, within your limits.',
  },
  visibilityMixed: 'Each model has its own choice below.',
  serverState: {
    ready: 'Ready',
    starting: 'Starting',
    asleep: 'Asleep, wakes up on request',
    busy: 'Busy',
    'needs-key': 'Needs a key',
    'no-models': 'No models',
    unusable: 'Can’t be used',
    'not-found': 'Not found',
  },
  sharedBadge: { me: 'Only for you', trusted: 'Shared with people you trust', everyone: 'Shared with everyone' },
  waitsBadge: 'Not answering',
  load: (running: number, waiting: number) =>
    waiting > 0 ? `${running} running, ${waiting} waiting` : `${running} running`,
  column: {
    model: 'Model',
    visibility: 'Who may use it',
    names: 'Aliases',
    context: 'Context',
    size: 'Size',
    quantisation: 'Quant',
    parameters: 'Parameters',
  },
  names: {
    hint: 'Other names for the model, separated by commas.',
    label: (id: string) => `Aliases of ${id}`,
    placeholder: 'add alias',
    problem: {
      taken: 'This name is used twice. Each name can stand for one model only.',
      odd: 'A name can’t be *, ., .. or ~, or longer than 200 characters.',
    },
  },
  away: (name: string) =>
    `${name} stopped answering. Its models are withdrawn and come back automatically once it runs again.`,
  shareModel: (id: string) => `Share ${id}`,
  allModels: 'Include models that are added later',
  loaded: 'in memory',
  ticked: (ticked: number, all: number) => `${ticked} of ${count(all, 'model')} selected`,
  key: {
    label: 'Key of this server',
    help: 'Kept on this computer, never published.',
    use: 'Use this key',
    done: 'The key works.',
  },
  typeIn: {
    title: 'Add a server by address',
    label: 'Address',
    help: 'A port, or host:port. Other computers need the setting service.allow-remote-target.',
    add: 'Check this port',
    bad: 'Enter a port from 1 to 65535, or host:port.',
    forget: 'Forget',
  },
  test: 'Test',
  live: 'Right now',
  slots: 'Slots',
  slotsUsed: (used: number, total: number) => `${used} of ${total} in use`,
  noSlots: 'None: the limit is 0, so requests from peers are refused.',
  own: (n: number) => `${count(n, 'request')} of your own running`,
  queue: (used: number) => `${count(used, 'request')} waiting`,
  consumers: 'In use by',
  noConsumers: 'No one right now.',
  consumer: (running: number, waiting: number, tokensToday: number) =>
    [
      `${running} running`,
      waiting > 0 ? `${waiting} waiting` : '',
      tokensToday > 0 ? `${count(tokensToday, 'token')} today` : '',
    ]
      .filter((part) => part !== '')
      .join(', '),
  block: 'Block',
  unblock: 'Unblock',
  blockedPeers: 'Blocked',
  blocked: 'Blocked. Its requests are refused from now on.',
  unblocked: 'No longer blocked.',
  sharedAgain: 'Shared again, as before.',
  given: 'Served today',
  givenTokens: (tokens: number) => count(tokens, 'token'),
  givenTo: (requests: number, peers: number) => `${count(requests, 'request')} for ${count(peers, 'peer')}`,
  ever: (tokens: number, day: string) => `${count(tokens, 'token')} since ${formatDay(day)}`,
  ledgerLink: 'All that was served',
  ledger: {
    back: 'Share',
    sentence: (
      { peers, requests, tokensOut }: { peers: number; requests: number; tokensOut: number },
      day: string | null,
    ) =>
      day === null
        ? 'You haven’t served anyone yet.'
        : `You helped ${peers === 1 ? '1 person' : `${formatNumber(peers)} people`} since ${formatDay(day)}: ${count(requests, 'request')}, ${count(tokensOut, 'token')}.`,
    export: { csv: 'Save as CSV', json: 'Save as JSON' },
    empty: 'Nothing was served in the past half year.',
    emptyHint:
      'This page counts what your computer serves to others by day, model and peer. It never records what was said.',
    chart: 'Tokens per week',
    summary: (tokens: number) => `${count(tokens, 'token')} in half a year, by week. The table below has the figures.`,
    division: { label: 'Divide by', model: 'By model', peer: 'By peer' },
    others: 'All others',
    column: { model: 'Model', peer: 'Peer', requests: 'Requests', tokens: 'Tokens' },
  },
  refused: 'Refused since the start',
  pauseTitle: 'Pause',
  pauseFor: {
    quarter: { title: 'Pause for 15 min', ms: 15 * MINUTE_MS },
    hour: { title: 'Pause for 1 h', ms: 60 * MINUTE_MS },
    resume: { title: 'Pause until I resume', ms: null },
  },
  resume: 'Resume',
  pausedDone: 'Paused. Peers are notified immediately.',
  resumedDone: 'Sharing resumed.',
  stillRunning: (n: number) => `${count(n, 'running request')} will finish.`,
  rules: 'Automatic pause',
  rulesHint: 'Each rule shows its current state.',
  holds: 'Pausing now',
  holdsNot: 'Not pausing',
  holdsUnknown: 'Can’t tell on this computer',
  ruleOff: 'Off',
  /** Why a rule can do nothing on this computer. */
  ruleUnable: {
    'user-active': 'Not here: only the desktop app can see keyboard and mouse, and not on every desktop.',
  } as Readonly<Record<string, string>>,
  ruleName: {
    'user-active': 'While I use this computer',
    'on-battery': 'While on battery',
    'gpu-busy': 'While something else uses the GPU',
    program: 'While certain programs run',
    schedule: 'Outside the hours I set',
  },
  ruleSet: 'Configure…',
  limits: 'Limits',
  limitGroup: {
    all: { title: 'All peers together', hint: 'How much this computer works for others at the same time.' },
    peer: { title: 'Each peer', hint: 'What one computer may use, trusted or not.' },
    source: {
      title: 'Each source of strangers',
      hint: 'All strangers behind one network or relay together. People you trust are not counted.',
    },
    strangers: { title: 'All strangers together', hint: 'People you trust are not counted.' },
    request: { title: 'Each request', hint: 'How large one may be.' },
    who: { title: 'Which peers', hint: 'Blocked peers are refused even where they are allowed.' },
  },
  limitsHint: 'Changes take effect immediately. Your own requests never wait behind those of peers.',
  limitsSave: 'Save limits',
  limitsSaved: 'Saved. The limits are in effect.',
  limitsSavedLater: 'Saved. A flag or environment variable overrides one of them until the next start.',
  wholeNumber: (min: number, max: number) => `Enter a whole number from ${min} to ${max}.`,
  other: 'Services from the settings',
  how: 'Share a model server',
  example: 'ocf start --service.name llm --service.port 11434',
  ports:
    'Usual ports: Ollama\u00a011434\u00a0· LM\u00a0Studio\u00a01234\u00a0· llama.cpp\u00a08080\u00a0· vLLM\u00a08000',
  status: { starting: 'Waiting for its first answer', connected: 'Running', down: 'Not answering' },
  published: 'Shared with peers',
  notPublished: 'Only for you',
  models: 'Models',
  noModels: 'It lists no models.',
  paths: 'Paths peers can use',
  privacy: 'Who can read prompts?',
  privacyBody:
    'Data between peers is encrypted, but the computer that answers a request can read it: peers’ prompts reach your server in plain text, and yours reach the peer that serves you.',
}

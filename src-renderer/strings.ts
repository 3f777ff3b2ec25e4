import { causes } from './strings/causes.js'
import { frameStrings } from './strings/frame.js'
import { modelsStrings } from './strings/models.js'
import { networkStrings } from './strings/network.js'
import { shareStrings } from './strings/share.js'
import { trafficStrings } from './strings/traffic.js'
import { count } from './ui/format.js'

/** Every English sentence of the interface. Words for things follow the glossary: peer, provider, model, gateway, relay. */
export const strings = {
  product: 'Open Compute',
  nav: {
    label: 'Pages',
    home: 'Home',
    share: 'Share',
    models: 'Models',
    network: 'Network',
    traffic: 'Traffic',
    settings: 'Settings',
  },
  glossary: {
    peer: 'Another computer in the network that runs this program.',
    provider: 'A peer that answers requests for a model.',
    gateway: 'The address on this computer that your apps send requests to.',
    relay: 'A peer that passes data on where two others can’t connect directly.',
    rtt: 'Round-trip time: how long a message to the peer and back takes.',
    ttft: 'Time to first token: from the request’s arrival to the first byte of the answer.',
    tries: 'Providers that were asked, the one that answered included.',
    context: 'How many tokens the model takes in at once.',
  },
  pill: {
    label: (sentence: string) => `Status: ${sentence}. Show details`,
    loading: 'Connecting to the node',
    sharing: (models: number) => `Sharing ${count(models, 'model')}`,
    connected: 'Connected',
    alone: 'Not connected to any peer yet',
    standalone: 'This computer only',
    peers: (peers: number) => count(peers, 'peer'),
    path: { direct: 'direct', relayed: 'relayed' },
    lost: 'The node does not answer',
  },
  gate: {
    noToken: {
      title: 'This page needs its key',
      body: 'The dashboard opens with a key that only this computer knows. Start the node with `ocf start` and open the dashboard address it prints, with everything behind the #.',
    },
    unauthorized: {
      title: 'The node was started again',
      body: 'This page still has the key of an earlier start. Open the dashboard address that `ocf start` printed last.',
    },
  },
  offline: {
    title: 'The node is not answering',
    body: 'What you see may be out of date. This page connects again by itself. If the node is stopped, start it with `ocf start`.',
    code: (code: string) => `Code: ${code}`,
  },
  state: {
    loading: 'Loading',
    retry: 'Try again',
    failed: 'This could not be loaded',
  },
  copy: { copy: 'Copy', copied: 'Copied', failed: 'Select and copy by hand' },
  home: {
    working: 'It works. Paste this address into your app.',
    workingAlone: 'The gateway works with the models of this computer. No other peer is connected yet.',
    noModels: 'The gateway runs, but no model can be used yet.',
    noModelsHint:
      'Share a model of this computer, or wait for a peer that offers one. The Network page shows who is connected.',
    noGateway: 'The node runs, but its gateway has no address yet.',
    baseUrl: 'Base URL for any OpenAI-compatible app',
    baseUrlHint: 'No key is needed. If an app insists on one, type anything.',
    tryIt: 'Try it',
    snippets: 'Examples',
    facts: {
      available: 'Models you can use',
      shared: 'Models you share',
      peers: 'Peers connected',
      requests: 'Requests today',
      requestsHint: (out: number, inward: number, local: number) => `${out} out · ${inward} in · ${local} local`,
      known: (known: number) => `${known} known`,
    },
  },
  models: modelsStrings,
  network: networkStrings,
  traffic: trafficStrings,
  share: shareStrings,
  causes,
  ...frameStrings,
  settings: {
    sentence: (changed: number) =>
      changed === 0
        ? 'Everything runs with its default settings.'
        : `${count(changed, 'setting')} ${changed === 1 ? 'differs' : 'differ'} from the default.`,
    hint: 'Change a setting with its flag, its environment variable or in the settings file, then start the node again.',
    appearance: 'Appearance',
    theme: { label: 'Theme', auto: 'As the system', light: 'Light', dark: 'Dark' },
    origin: { default: 'Default', file: 'File', environment: 'Environment', flag: 'Flag' },
    restart: 'Needs a restart',
    notSet: 'not set',
    onlyChanged: 'Only what differs from the default',
    column: { name: 'Setting', value: 'Value', origin: 'From' },
    log: 'Log',
    logLevel: 'Show from level',
    logEmpty: 'No line of this level yet.',
    logTail: (n: number) => `Last ${count(n, 'line')}`,
    about: 'About this node',
    version: 'Version',
    mode: 'Mode',
    started: 'Started',
  },
  modes: {
    standalone: 'standalone: meets nobody by itself',
    local: 'local: meets nodes of its own network',
    node: 'node: joins the network',
  },
  unknown: '–',
}

import { causes } from './strings/causes.js'
import { chatStrings } from './strings/chat/chat.js'
import { count, list } from './strings/format.js'
import { frameStrings } from './strings/frame.js'
import { homeStrings } from './strings/home.js'
import { translated } from './strings/languages/translated.js'
import { translation } from './strings/languages/translation.js'
import { modelsStrings } from './strings/models.js'
import { networkStrings } from './strings/network.js'
import { pairingStrings } from './strings/pairing.js'
import { peopleStrings } from './strings/people.js'
import { updateStrings } from './strings/update.js'

/**
 * English sentences that the first page may show; those of pages that are loaded when they are gone to stand in
 * `strings/all.ts`. Words for things follow the glossary: peer, provider, model, gateway, relay.
 */
const english = {
  product: 'Open Compute',
  nav: {
    label: 'Pages',
    skip: 'Skip to the page',
    home: 'Home',
    chat: 'Chat',
    share: 'Share',
    models: 'Models',
    network: 'Network',
    traffic: 'Traffic',
    settings: 'Settings',
  },
  glossary: {
    peer: 'Another computer on the network that runs this program.',
    provider: 'A peer that answers requests for a model.',
    gateway: 'The address on this computer that your apps send requests to.',
    relay: 'A peer that passes data on between two others that can’t connect directly.',
    rtt: 'Round-trip time: how long a message to the peer and back takes.',
    ttft: 'Time to first token: from the request’s arrival to the first byte of the answer.',
    tries: 'How many providers were asked, including the one that answered.',
    context: 'How many tokens the model can take at once.',
  },
  pill: {
    label: (sentence: string) => `Status: ${sentence}. Show details`,
    loading: 'Connecting to the node',
    sharing: (models: number) => `Sharing ${count(models, 'model')}`,
    connected: 'Connected',
    alone: (cause: string | undefined) =>
      cause === undefined ? 'Not connected to any peer yet' : `Not connected: ${cause}`,
    but: (sentence: string, cause: string) => `${sentence} · ${cause}`,
    join: 'Not in a network yet · Join one',
    nothingShared: 'Nothing is shared',
    silent: (servers: readonly string[]) => `${list(servers)} ${servers.length === 1 ? 'isn’t' : 'aren’t'} answering`,
    pausedFor: (left: string) => `Paused · ${left} left`,
    standalone: 'This computer only',
    peers: (peers: number) => count(peers, 'peer'),
    path: { direct: 'direct', relayed: 'relayed' },
    lost: 'The node is not answering',
    paused: (reason: string | undefined) => (reason === undefined ? 'Paused' : `Paused: ${reason}`),
  },
  gate: {
    noToken: {
      title: 'Open the dashboard with its link',
      body: 'The dashboard opens with a key that only this computer knows. Run `ocf open` on the computer that runs the node: it opens the dashboard or prints its link.',
    },
    unauthorized: {
      title: 'This link no longer opens the dashboard',
      body: 'There is a newer one. Run `ocf open` on the computer that runs the node: it opens the dashboard or prints its link.',
    },
  },
  offline: {
    title: 'The node is not answering',
    body: 'What you see may be out of date. This page reconnects automatically. If the node is stopped, start it with `ocf start`.',
    code: (code: string) => `Code: ${code}`,
  },
  state: {
    loading: 'Loading',
    retry: 'Try again',
    failed: 'This could not be loaded',
    pageFailed: 'This page could not be loaded',
    pageFailedHint: 'The node may be down, or it was updated after you opened this tab.',
    reload: 'Reload',
  },
  copy: {
    copy: 'Copy',
    copied: 'Copied',
    failed: 'Select and copy by hand',
    peer: (short: string, whole: string) => `${short}, copy ${whole}`,
  },
  file: { choose: 'Choose a file…', none: 'No file chosen' },
  chat: chatStrings,
  models: modelsStrings,
  network: networkStrings,
  people: peopleStrings,
  pairing: pairingStrings,
  update: updateStrings,
  causes,
  home: homeStrings,
  ...frameStrings,
  modes: {
    standalone: 'standalone: connects to no one',
    local: 'local: connects to nodes of its own network',
    node: 'node: joins the network',
  },
  hiddenMark: 'There is an invisible character here.',
  unknown: '–',
}

/** The sentences of the first page, in the language of this page. */
export const strings = translated(english, translation)

import { count } from './format.js'

/** Words of the Home page. */
export const homeStrings = {
  working: 'It works. Paste this address into your app.',
  workingAlone: 'The gateway works with the models of this computer. No other peer is connected yet.',
  noModels: 'The gateway runs, but no model can be used yet.',
  noModelsHint:
    'Share a model of this computer, or wait for a peer that offers one. The Network page shows who is connected.',
  noGateway: 'The node runs, but its gateway has no address yet.',
  baseUrl: 'Base URL for any OpenAI-compatible app',
  baseUrlHint: 'No key is needed. If an app insists on one, type anything.',
  tryIt: 'Use it',
  chat: 'Chat with it here',
  snippets: 'Examples',
  where: {
    webui: 'Open WebUI: settings of the administrator, Connections, OpenAI API, +',
    continue: 'Continue for VS Code and JetBrains: ~/.continue/config.yaml',
  },
  first: {
    title: 'Welcome. Two ways to begin',
    use: 'Use models of others',
    useText: 'Nothing to set up: as soon as a peer offers a model, it is listed and your apps can ask it.',
    useAction: 'See the models',
    share: 'Share a model of yours',
    shareText: 'A model server on this computer is found by itself. You choose what to share, and stop at any time.',
    shareFound: (name: string, models: number) =>
      `${name} runs here with ${models} ${models === 1 ? 'model' : 'models'}. Sharing takes one click.`,
    shareAction: 'Share my model',
    hide: 'Don’t show again',
  },
  facts: {
    available: 'Models you can use',
    shared: 'Models you share',
    peers: 'Peers connected',
    requests: 'Requests today',
    requestsHint: (out: number, inward: number, local: number) => `${out} out · ${inward} in · ${local} local`,
    given: (n: number) => `${count(n, 'request')} of peers today`,
    known: (known: number) => `${known} known`,
    sparkUse: 'Requests you sent to peers, 24 hours',
    sparkGive: 'Requests of peers, 24 hours',
    sparkAll: 'All requests, 24 hours',
  },
}

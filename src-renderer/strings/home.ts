import { count } from './format.js'

/** Words of the Home page. */
export const homeStrings = {
  working: 'It works. Paste this address into your app.',
  workingAlone: 'The gateway serves the models of this computer. No other peer is connected yet.',
  noModels: 'The gateway is running, but there are no models to use yet.',
  noModelsHint:
    'Share a model of this computer, or wait for a peer that offers one. The Network page shows who is connected.',
  noGateway: 'The node is running, but its gateway has no address yet.',
  baseUrl: 'Base URL for any OpenAI-compatible app',
  baseUrlHint: 'No key is needed. If an app requires a key, any text works.',
  tryIt: 'Connect an app',
  chat: 'Try it in chat',
  snippets: 'Examples',
  where: {
    webui: 'Open WebUI: Admin Settings → Connections → OpenAI API → +',
    continue: 'Continue for VS Code and JetBrains: ~/.continue/config.yaml',
  },
  first: {
    title: 'Welcome: two ways to start',
    use: 'Use other people’s models',
    useText: 'Nothing to set up: as soon as a peer offers a model, it is listed and your apps can ask it.',
    useAction: 'See the models',
    share: 'Share one of your models',
    shareText:
      'We detect model servers on this computer automatically. You choose what to share and can stop at any time.',
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
    given: (n: number) => `${count(n, 'request')} from peers today`,
    known: (known: number) => `${known} known`,
    sparkUse: 'Requests you sent to peers, 24 hours',
    sparkGive: 'Requests from peers, 24 hours',
    sparkAll: 'All requests, 24 hours',
  },
}

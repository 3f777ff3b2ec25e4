import { count, formatNumber } from './format.js'

/** Words of the Home page. */
export const homeStrings = {
  working: 'It works. Paste this address into your app.',
  workingAlone: 'Your apps can use the models on this computer. No peer is connected yet.',
  noModels: 'The gateway is running, but there are no models to use yet.',
  noModelsHint:
    'Share a model on this computer, or wait for a peer that offers one. The Network page shows who is connected.',
  noGateway: 'The node is running, but its gateway has no address yet.',
  baseUrl: 'Base URL for any OpenAI-compatible app',
  baseUrlHint: 'No key is needed. If an app requires a key, any text works.',
  tryIt: 'Connect an app',
  chat: 'Try it in chat',
  modelForExamples: 'Model in the examples',
  usable: {
    title: 'Models you can use now',
    all: (n: number) => `All ${formatNumber(n)}`,
    chat: 'Chat',
    open: 'Open',
  },
  gpus: {
    title: (count: number) => (count === 1 ? 'GPU' : 'GPUs'),
    memory: 'Memory in use',
    of: (used: string, total: string) => `${used} of ${total}`,
    use: (percent: number) => `${Math.round(percent)} % in use`,
    unknownUse: 'Use not known',
    temperature: (celsius: number) => `${Math.round(celsius)} °C`,
  },
  apps: {
    list: 'Apps',
    tried: (version: string, day: string) => `Tested with ${version} on ${day}.`,
    notTried: 'Not tested yet: these are the documented settings.',
    where: {
      launch:
        'One command starts it with this model and leaves your own settings alone. The variables are for setting it up by hand.',
      codex: 'One command starts it with this model and leaves your own settings alone. By hand: ~/.codex/config.toml',
      opencode: 'One command starts it with this model and leaves your own settings alone. By hand: opencode.json',
      cline: 'Cline: Settings → API Configuration',
      continue: 'Continue for VS Code and JetBrains: ~/.continue/config.yaml',
      cursor:
        'Cursor’s own servers send the requests, so it can’t use an address on this computer. With a public address of your own and an API key: Settings → Models',
      zed: 'Zed: settings.json. Any text works as the API key.',
      webui: 'Open WebUI: Admin Settings → Connections → OpenAI API → +',
      docker: 'With the host’s network, the container reaches this computer’s address. Then open http://localhost:8080',
      n8n: 'n8n: Credentials → Create → OpenAI',
    },
  },
  first: {
    title: 'Welcome: two questions, and you can answer both later',
    meet: 'Who do you want to connect with?',
    meetText: 'You can use the models of everyone you connect with. Change this at any time on the Network page.',
    whom: { people: 'People I know', lan: 'This local network', public: 'A public network', later: 'Later' },
    invite: 'Or invite someone yourself',
    standalone: 'This node runs in standalone mode and connects to no one. Start it with --mode node to change that.',
    lanFound: (peers: number) =>
      peers === 0
        ? 'Other computers on your local network that run this program are found automatically. None so far.'
        : `Other computers on your local network are found automatically: you are connected to ${count(peers, 'peer')}.`,
    publicText: 'On a public network, strangers’ computers answer, and they can read what you send.',
    publicChoice: (runBy: string, meaning: string) => `Run by ${runBy}. ${meaning}`,
    publicJoin: (title: string) => `Join ${title}`,
    publicOther: 'Know the address of another one? Enter it under',
    publicAction: 'bootstrap sources in Settings',
    laterText: 'Until then, your apps use the models on this computer.',
    laterAction: 'Join someone on the Network page',
    useAction: 'See the models',
    strangers: 'May strangers’ computers answer you?',
    strangersText: 'The computer that answers can read what you send.',
    strangersAction: 'Change it in Settings',
    reach: { anyone: 'Yes, anyone’s', trusted: 'Only people I trust', own: 'Only this computer' },
    reachSaid: {
      anyone: 'Anyone who offers the model may answer.',
      trusted: 'Only people you trust may answer.',
      own: 'Only this computer answers.',
    },
    share: 'Share your own models',
    shareText:
      'We detect model servers on this computer automatically. Each model can be for you, for people you trust or for everyone.',
    shareFound: (name: string, models: number) =>
      `${name} runs here with ${count(models, 'model')}. Each can be for you, for people you trust or for everyone.`,
    shareOnDisk: (models: number) =>
      `You have ${count(models, 'model')} on disk. You can share one without a model server.`,
    shareLook: 'No model server runs here, but you can share a model straight from its file.',
    shareLookAction: 'Look for models',
    shareNothing: 'No model server or model was found here yet.',
    shareNothingAction: 'How to get one',
    shareAction: 'Choose for each model',
    hide: 'Don’t show again',
    show: 'Show the welcome questions',
  },
  facts: {
    available: 'Models you can use',
    shared: 'Models you share',
    requests: 'Requests today',
    requestsHint: ({ out, in: inward, local, unanswered }: Record<'out' | 'in' | 'local' | 'unanswered', number>) =>
      [
        `${formatNumber(out)} out · ${formatNumber(inward)} in · ${formatNumber(local)} local`,
        ...(unanswered === 0 ? [] : [`${formatNumber(unanswered)} unanswered`]),
      ].join(' · '),
    given: (n: number) => `${count(n, 'request')} from peers today`,
    peersHint: (connected: number, known: number) =>
      `${count(connected, 'peer')} connected${known > connected ? `, ${formatNumber(known - connected)} more known` : ''}`,
    sparkUse: 'Requests you sent to peers, 24 hours',
    sparkGive: 'Requests from peers, 24 hours',
    sparkAll: 'All requests, 24 hours',
  },
}

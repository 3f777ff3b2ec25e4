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
    title: 'Welcome: two questions, and you can answer both later',
    meet: 'Who do you want to meet?',
    meetText: 'You can use the models of everyone you meet, and change this at any time on the Network page.',
    whom: { people: 'People I know', lan: 'This local network', public: 'A public network', later: 'Later' },
    invite: 'Or invite someone yourself',
    standalone: 'This node was started alone and meets no one. Start it with --mode node to change that.',
    lanFound: (peers: number) =>
      peers === 0
        ? 'Other computers in your local network that run this program are found automatically. None was found so far.'
        : `Other computers in your local network are found automatically: you are connected to ${count(peers, 'peer')}.`,
    publicText: 'In a public network strangers’ computers answer, and they can read what you send.',
    publicNone: 'There is none that this version can join yet.',
    publicChoice: (runBy: string, meaning: string) => `Run by ${runBy}. ${meaning}`,
    publicJoin: (title: string) => `Join ${title}`,
    publicOther: 'You know the address of another one? Enter it under',
    publicAction: 'bootstrap sources in Settings',
    laterText: 'Until then your apps use the models of this computer.',
    laterAction: 'Join someone on the Network page',
    useAction: 'See the models',
    strangers: 'May strangers’ computers answer you?',
    strangersText: 'Whoever answers reads what you send.',
    strangersAction: 'The same choice in Settings',
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
    shareAction: 'Choose for each model',
    hide: 'Don’t show again',
  },
  facts: {
    available: 'Models you can use',
    shared: 'Models you share',
    peers: 'Peers connected',
    requests: 'Requests today',
    requestsHint: ({ out, in: inward, local, unanswered }: Record<'out' | 'in' | 'local' | 'unanswered', number>) =>
      `${out} out · ${inward} in · ${local} local${unanswered === 0 ? '' : ` · ${unanswered} unanswered`}`,
    given: (n: number) => `${count(n, 'request')} from peers today`,
    known: (known: number) => `${known} known`,
    sparkUse: 'Requests you sent to peers, 24 hours',
    sparkGive: 'Requests from peers, 24 hours',
    sparkAll: 'All requests, 24 hours',
  },
}

import type { ModelView } from '#shared/contract/models/models.js'
import { count, formatNumber } from './format.js'

/** What a server tells of its model. */
type Facts = Pick<ModelView, 'kind' | 'parameters' | 'quantization' | 'capabilities'>

/** A model that chats is the usual one: it needs no word. */
const FACT_NAMES: Readonly<Record<string, string>> = {
  embedding: 'Embeddings',
  rerank: 'Reranking',
  image: 'Images',
  audio: 'Audio',
  tools: 'Tools',
  vision: 'Vision',
  thinking: 'Thinking',
}

/** A separator stays with what is before it. */
const DOT = '\u00a0· '
const named = (id: string, facts: string): string => (facts === '' ? id : `${id}${DOT}${facts}`)

/** Words of the Models page and its chat. */
export const modelsStrings = {
  sentence: (n: number, away = 0) => {
    const more = away === 0 ? '' : ` ${away === 1 ? '1 more is' : `${away} more are`} known but not reachable.`
    return `${n === 0 ? 'No model can be used right now.' : `You can use ${count(n, 'model')} right now.`}${more}`
  },
  shown: (n: number, all: number) => `${formatNumber(n)} of ${count(all, 'model')}`,
  favourite: (id: string) => `Favourite ${id}`,
  copyId: (id: string) => `Copy ${id}`,
  kind: FACT_NAMES,
  away: 'Not reachable',
  awayHint: 'None of its providers is answering right now. It comes back as soon as one does.',
  sizeHint: 'Parameters and quantisation, as its server reports them.',
  empty: 'Neither a server on this computer nor a peer offers a model right now.',
  emptyHint: 'Start a local server such as Ollama and share it, or wait until a peer connects.',
  search: 'Search models',
  noMatch: (query: string) => `No model’s name contains “${query}”.`,
  noMatchFilter: 'No matching models.',
  filter: { label: 'Show', all: 'All', favourites: 'Favourites', here: 'This computer', peers: 'Peers' },
  column: {
    model: 'Model',
    providers: 'Providers',
    where: 'Where',
    path: 'Via',
    load: 'Load',
    rtt: 'Latency',
    kind: 'Kind',
    size: 'Size',
    context: 'Context',
    ttft: 'First token',
    speed: 'Tokens/s',
    shared: 'Sharing',
  },
  pathHint: 'The best path to a provider: this computer, a direct connection or a relay.',
  load: {
    columnHint: 'Running requests out of the slots of all providers, as reported in the last half minute.',
    used: (used: number, total: number | null) => (total === null ? `${used} running` : `${used} of ${total}`),
    waiting: (waiting: number) => `+${waiting}`,
    hint: ({ waiting, reported }: { waiting: number; reported: number }) =>
      `${count(waiting, 'request')} waiting; reported by ${count(reported, 'provider')} in the last half minute.`,
    unknownHint: 'No provider has reported its load in the last half minute.',
    paused: 'Paused',
    pausedHint: 'Its providers are not taking requests right now.',
  },
  measured: 'Median of recent requests, measured here. Empty until there is one.',
  here: 'This computer',
  demo: 'Demo',
  demoHint: 'A toy that shows how a request runs. It steps aside as soon as there is a real model.',
  peers: (n: number) => count(n, 'peer'),
  shared: 'Shared',
  notShared: 'Only you',
  facts: ({ kind = '', parameters = '', quantization = '', capabilities = [] }: Facts) =>
    [FACT_NAMES[kind] ?? '', parameters, quantization, ...capabilities.map((name) => FACT_NAMES[name] ?? '')]
      .filter((fact) => fact !== '')
      .join(' · '),
  named,
  context: (tokens: number) => `${formatNumber(tokens)} tokens`,
  noPath: 'Not connected',
  noPathHint: 'Known from the node table; the first request opens a connection.',
  back: 'All models',
  detail: {
    gone: 'This model can’t be used right now.',
    goneHint: 'No one offers it right now. It reappears as soon as someone does.',
    sentence: (id: string, providers: number, facts: string) =>
      named(`${id}${DOT}${count(providers, 'provider')}`, facts),
    sentenceHere: (id: string, facts: string) => `${id} runs on this computer. ${facts}`.trim(),
    providers: 'Providers',
    column: {
      provider: 'Provider',
      use: 'Use',
      path: 'Path',
      load: 'Load',
      rtt: 'Latency',
      ttft: 'First token',
      speed: 'Tokens/s',
      file: 'File',
    },
    file: {
      hint: 'Whether the digest of its file, as the provider reports it, is the same.',
      yours: 'Yours',
      sameAsYours: 'Same as yours',
      notYours: 'Not yours',
      same: 'Same as most',
      other: 'A different one',
      at: (digest: string, same: number, all: number) =>
        all < 2 ? digest : `${digest}, the same at ${same} of ${count(all, 'provider')}`,
    },
    self: 'This computer',
    use: { any: 'Automatic', prefer: 'Prefer', exclude: 'Never use' },
    useLabel: (peer: string) => `How to use ${peer}`,
    useHint: 'To get the same from an app, have it send these headers:',
    who: 'Who can read this?',
    whoHere: 'No one else: a server on this computer answers, and nothing leaves it.',
    whoBoth:
      'If this computer answers, no one else. If a peer answers, its owner could: the model needs your words in plain text. In transit they are encrypted, even through a relay.',
    whoPeers:
      'The owner of the peer that answers could: the model needs your words in plain text. In transit they are encrypted, even through a relay. Don’t send anything you wouldn’t show them.',
  },
  about: {
    title: 'About this model',
    id: 'Id for apps',
    kind: 'Kind',
    parameters: 'Parameters',
    quantization: 'Quantisation',
    size: 'Size',
    file: 'File (digest)',
    context: 'Context',
  },
  connect: 'Connect an app',
  embed: {
    title: 'Try it',
    first: 'One text',
    second: 'Another text',
    examples: ['The cat sleeps on the sofa.', 'A kitten naps on the couch.'] as const,
    run: 'Compare',
    likeness: 'Similarity',
    likenessHint: 'Cosine of the angle between the two vectors: 100 % means the same direction.',
    percent: (share: number) => `${Math.round(share * 100)} %`,
    length: 'Numbers per text',
    values: 'First text starts with',
    took: 'Time',
    odd: 'The answer contains no embeddings.',
  },
  test: {
    run: 'Test',
    title: 'Test this model',
    hint: 'Sends one real request of one token and shows who answers and how long each step takes.',
    running: 'Requesting one token…',
    worked: (ms: string) => `It works: the first token came after ${ms}.`,
    failed: 'It did not work.',
    legs: { select: 'Pick provider', connect: 'Connect', ttfb: 'First byte' } as Readonly<Record<string, string>>,
    untilToken: 'First token',
    untilEnd: 'Rest of the answer',
    total: 'Total',
  },
  chat: 'Chat',
  by: 'by',
}

import { count, models, number, peers, requests, tokens } from './count.js'

/** What a model is for and can do; one that chats needs no word. */
const FACT_NAMES: Readonly<Record<string, string>> = {
  embedding: 'Embeddings',
  rerank: 'Reranking',
  image: 'Bilder',
  audio: 'Audio',
  tools: 'Werkzeuge',
  vision: 'Sehen',
  thinking: 'Denken',
}

interface Facts {
  kind?: string | undefined
  parameters?: string | undefined
  quantization?: string | undefined
  capabilities?: readonly string[] | undefined
}

const named = (id: string, facts: string): string => (facts === '' ? id : `${id} · ${facts}`)

/** The Models page in German. */
export const modelsGerman = {
  sentence: (n: number, away = 0) => {
    const more =
      away === 0
        ? ''
        : ` ${away === 1 ? '1 weiteres ist' : `${number(away)} weitere sind`} bekannt, aber nicht erreichbar.`
    return `${n === 0 ? 'Gerade ist kein Modell benutzbar.' : `Du kannst gerade ${models(n)} benutzen.`}${more}`
  },
  shown: (n: number, all: number) => `${number(n)} von ${models(all)}`,
  favourite: (id: string) => `Favorit ${id}`,
  copyId: (id: string) => `${id} kopieren`,
  kind: FACT_NAMES,
  away: 'Nicht erreichbar',
  awayHint: 'Niemand, der es anbietet, antwortet gerade. Es kommt zurück, sobald jemand antwortet.',
  sizeHint: 'Parameter und Quantisierung, wie der Server sie meldet.',
  empty: 'Gerade bietet weder ein Server auf diesem Computer noch ein Peer ein Modell an.',
  emptyHint: 'Starte einen lokalen Server wie Ollama und teile ihn, oder warte, bis ein Peer sich verbindet.',
  search: 'Modelle suchen',
  noMatch: (query: string) => `Kein Modell hat „${query}“ im Namen.`,
  noMatchFilter: 'Keine passenden Modelle.',
  filter: { label: 'Zeigen', all: 'Alle', favourites: 'Favoriten', here: 'Dieser Computer', peers: 'Peers' },
  column: {
    model: 'Modell',
    providers: 'Anbieter',
    where: 'Wo',
    path: 'Über',
    load: 'Last',
    rtt: 'Latenz',
    kind: 'Art',
    size: 'Größe',
    context: 'Kontext',
    ttft: 'Erstes Token',
    speed: 'Tokens/s',
    shared: 'Geteilt',
  },
  pathHint: 'Der beste Weg zu einem Anbieter: dieser Computer, eine direkte Verbindung oder ein Relay.',
  load: {
    columnHint: 'Laufende Anfragen und Plätze aller Anbieter, wie in der letzten halben Minute gemeldet.',
    used: (used: number, total: number | null) => (total === null ? `${used} in Arbeit` : `${used} von ${total}`),
    waiting: (waiting: number) => `+${waiting}`,
    hint: ({ waiting, reported }: { waiting: number; reported: number }) =>
      `${requests(waiting)} wartend; gemeldet von ${count(reported, 'Anbieter', 'Anbietern')} in der letzten halben Minute.`,
    unknownHint: 'Kein Anbieter hat in der letzten halben Minute seine Last gemeldet.',
    paused: 'Pause',
    pausedHint: 'Die Anbieter nehmen gerade keine Anfragen an.',
  },
  measured: 'Median der letzten Anfragen, hier gemessen. Leer, bis es eine gibt.',
  here: 'Dieser Computer',
  demo: 'Demo',
  demoHint: 'Ein Spielzeug, das zeigt, wie eine Anfrage läuft. Es macht Platz, sobald es ein echtes Modell gibt.',
  peers: (n: number) => peers(n),
  shared: 'Geteilt',
  notShared: 'Nur du',
  facts: ({ kind = '', parameters = '', quantization = '', capabilities = [] }: Facts) =>
    [FACT_NAMES[kind] ?? '', parameters, quantization, ...capabilities.map((name) => FACT_NAMES[name] ?? '')]
      .filter((fact) => fact !== '')
      .join(' · '),
  named,
  context: (n: number) => tokens(n),
  noPath: 'Nicht verbunden',
  noPathHint: 'Aus der Knotentabelle bekannt; die erste Anfrage öffnet eine Verbindung.',
  back: 'Alle Modelle',
  detail: {
    gone: 'Dieses Modell ist gerade nicht benutzbar.',
    goneHint: 'Niemand bietet es gerade an. Es erscheint wieder, sobald jemand es anbietet.',
    sentence: (id: string, providers: number, facts: string) => named(`${id} · ${number(providers)} Anbieter`, facts),
    sentenceHere: (id: string, facts: string) => `${id} läuft auf diesem Computer. ${facts}`.trim(),
    providers: 'Anbieter',
    column: {
      provider: 'Anbieter',
      use: 'Benutzen',
      path: 'Weg',
      load: 'Last',
      rtt: 'Latenz',
      ttft: 'Erstes Token',
      speed: 'Tokens/s',
      file: 'Datei',
    },
    file: {
      hint: 'Ob die Prüfsumme der Datei, wie der Anbieter sie meldet, dieselbe ist.',
      yours: 'Deine',
      sameAsYours: 'Wie deine',
      notYours: 'Nicht deine',
      same: 'Wie die meisten',
      other: 'Eine andere',
      at: (digest: string, same: number, all: number) =>
        all < 2 ? digest : `${digest}, dieselbe bei ${number(same)} von ${number(all)} Anbietern`,
    },
    self: 'Dieser Computer',
    use: { any: 'Automatisch', prefer: 'Bevorzugen', exclude: 'Nie benutzen' },
    useLabel: (peer: string) => `Wie ${peer} benutzt wird`,
    useHint: 'Deine Apps verlangen das mit diesen Headern:',
    who: 'Wer kann das lesen?',
    whoHere: 'Sonst niemand: Ein Server auf diesem Computer antwortet, und nichts verlässt ihn.',
    whoBoth:
      'Antwortet dieser Computer, niemand sonst. Antwortet ein Peer, könnte es sein Besitzer: Das Modell braucht deine Worte im Klartext. Unterwegs sind sie verschlüsselt, auch über ein Relay.',
    whoPeers:
      'Der Besitzer des Peers, der antwortet, könnte es: Das Modell braucht deine Worte im Klartext. Unterwegs sind sie verschlüsselt, auch über ein Relay. Sende nichts, was du ihm nicht zeigen würdest.',
  },
  about: {
    title: 'Über dieses Modell',
    id: 'Id für Apps',
    kind: 'Art',
    parameters: 'Parameter',
    quantization: 'Quantisierung',
    size: 'Größe',
    file: 'Datei (Prüfsumme)',
    context: 'Kontext',
  },
  connect: 'App verbinden',
  embed: {
    title: 'Ausprobieren',
    first: 'Ein Text',
    second: 'Ein anderer Text',
    examples: ['Die Katze schläft auf dem Sofa.', 'Ein Kätzchen döst auf der Couch.'],
    run: 'Vergleichen',
    likeness: 'Ähnlichkeit',
    likenessHint: 'Kosinus des Winkels zwischen beiden Vektoren: 100 % ist dieselbe Richtung.',
    percent: (share: number) => `${Math.round(share * 100)} %`,
    length: 'Zahlen pro Text',
    values: 'Der erste Text beginnt mit',
    took: 'Zeit',
    odd: 'Die Antwort enthält keine Liste von Embeddings.',
  },
  test: {
    run: 'Testen',
    title: 'Dieses Modell testen',
    hint: 'Sendet eine echte Anfrage nach einem Token und zeigt, wer antwortet und wie lange jeder Schritt dauert.',
    running: 'Ein Token wird angefragt…',
    worked: (ms: string) => `Es funktioniert: Das erste Token kam nach ${ms}.`,
    failed: 'Es hat nicht funktioniert.',
    legs: { select: 'Anbieter wählen', connect: 'Verbinden', ttfb: 'Erstes Byte' },
    untilToken: 'Erstes Token',
    untilEnd: 'Rest der Antwort',
    total: 'Gesamt',
  },
  chat: 'Chat',
  by: 'von',
}

import { models, number, peers, requests } from './count.js'

/** The Home page in German. */
export const homeGerman = {
  working: 'Es läuft. Füge diese Adresse in deine App ein.',
  workingAlone: 'Das Gateway bietet die Modelle dieses Computers an. Noch ist kein anderer Peer verbunden.',
  noModels: 'Das Gateway läuft, aber es gibt noch keine Modelle.',
  noModelsHint:
    'Teile ein Modell dieses Computers, oder warte auf einen Peer, der eines anbietet. Die Netzwerk-Seite zeigt, wer verbunden ist.',
  noGateway: 'Der Knoten läuft, aber sein Gateway hat noch keine Adresse.',
  baseUrl: 'Basis-URL für jede OpenAI-kompatible App',
  baseUrlHint: 'Ein Schlüssel ist nicht nötig. Verlangt eine App einen, genügt irgendein Text.',
  tryIt: 'App verbinden',
  chat: 'Im Chat ausprobieren',
  modelForExamples: 'Modell in den Beispielen',
  usable: {
    title: 'Modelle, die du jetzt benutzen kannst',
    all: (n: number) => `Alle ${number(n)}`,
    chat: 'Chat',
    open: 'Öffnen',
  },
  gpus: {
    title: (count: number) => (count === 1 ? 'GPU' : 'GPUs'),
    memory: 'Belegter Speicher',
    of: (used: string, total: string) => `${used} von ${total}`,
    use: (percent: number) => `${Math.round(percent)} % belegt`,
    unknownUse: 'Auslastung nicht bekannt',
    temperature: (celsius: number) => `${Math.round(celsius)} °C`,
  },
  apps: {
    list: 'Apps',
    tried: (version: string, day: string) => `Ausprobiert mit ${version} am ${day}.`,
    notTried: 'Noch nicht ausprobiert: Das sind die dokumentierten Einstellungen.',
    where: {
      launch:
        'Eine Zeile startet es mit diesem Modell und lässt deine eigenen Einstellungen, wie sie sind. Mit den Variablen geht es von Hand.',
      codex:
        'Eine Zeile startet es mit diesem Modell und lässt deine eigenen Einstellungen, wie sie sind. Von Hand: ~/.codex/config.toml',
      opencode:
        'Eine Zeile startet es mit diesem Modell und lässt deine eigenen Einstellungen, wie sie sind. Von Hand: opencode.json',
      cline: 'Cline: Settings → API Configuration',
      continue: 'Continue für VS Code und JetBrains: ~/.continue/config.yaml',
      cursor:
        'Die Anfragen senden Cursors eigene Server; eine Adresse auf diesem Computer erreichen sie nicht. Mit einer eigenen öffentlichen Adresse und einem API-Schlüssel: Settings → Models',
      zed: 'Zed: settings.json. Als API-Schlüssel genügt irgendein Text.',
      webui: 'Open WebUI: Administrationsbereich → Verbindungen → OpenAI-API → +',
      docker: 'Über das Netz des Hosts ist die Adresse dieses Computers erreichbar. Öffne dann http://localhost:8080',
      n8n: 'n8n: Credentials → Create → OpenAI',
    },
  },
  first: {
    title: 'Willkommen: zwei Fragen, beide auch später zu beantworten',
    meet: 'Wen möchtest du treffen?',
    meetText: 'Du kannst die Modelle aller benutzen, die du triffst. Auf der Netzwerk-Seite änderst du das jederzeit.',
    whom: {
      people: 'Leute, die ich kenne',
      lan: 'Dieses lokale Netz',
      public: 'Ein öffentliches Netz',
      later: 'Später',
    },
    invite: 'Oder lade selbst jemanden ein',
    standalone: 'Dieser Knoten wurde allein gestartet und trifft niemanden. Mit --mode node änderst du das.',
    lanFound: (n: number) =>
      n === 0
        ? 'Andere Computer in deinem lokalen Netz, auf denen dieses Programm läuft, werden automatisch gefunden. Bisher keiner.'
        : `Andere Computer in deinem lokalen Netz werden automatisch gefunden: Du bist mit ${peers(n)} verbunden.`,
    publicText: 'In einem öffentlichen Netz antworten Computer von Fremden, und sie können lesen, was du sendest.',
    publicChoice: (runBy: string, meaning: string) => `Betrieben von ${runBy}. ${meaning}`,
    publicJoin: (title: string) => `${title} beitreten`,
    publicOther: 'Du kennst die Adresse eines anderen? Trage sie ein unter',
    publicAction: 'bootstrap.sources in den Einstellungen',
    laterText: 'Bis dahin benutzen deine Apps die Modelle dieses Computers.',
    laterAction: 'Auf der Netzwerk-Seite jemandem beitreten',
    useAction: 'Modelle ansehen',
    strangers: 'Dürfen Computer von Fremden dir antworten?',
    strangersText: 'Der Computer, der antwortet, kann lesen, was du sendest.',
    strangersAction: 'In den Einstellungen ändern',
    reach: { anyone: 'Ja, von jedem', trusted: 'Nur von Leuten, denen ich vertraue', own: 'Nur dieser Computer' },
    reachSaid: {
      anyone: 'Jeder, der das Modell anbietet, darf antworten.',
      trusted: 'Nur Leute, denen du vertraust, dürfen antworten.',
      own: 'Nur dieser Computer antwortet.',
    },
    share: 'Eigene Modelle teilen',
    shareText:
      'Modellserver auf diesem Computer werden automatisch erkannt. Jedes Modell kann für dich sein, für Leute, denen du vertraust, oder für alle.',
    shareFound: (name: string, n: number) =>
      `${name} läuft hier mit ${models(n)}. Jedes kann für dich sein, für Leute, denen du vertraust, oder für alle.`,
    shareOnDisk: (n: number) => `Du hast ${models(n)} auf der Platte; zum Teilen braucht es keinen Modellserver.`,
    shareLook: 'Hier läuft kein Modellserver. Ein Modell, das als Datei auf diesem Computer liegt, geht auch ohne.',
    shareLookAction: 'Modelle suchen',
    shareNothing: 'Hier wurde noch kein Modellserver und kein Modell gefunden.',
    shareNothingAction: 'So bekommst du eins',
    shareAction: 'Für jedes Modell wählen',
    hide: 'Nicht mehr zeigen',
    show: 'Die Fragen vom Anfang zeigen',
  },
  facts: {
    available: 'Modelle, die du nutzen kannst',
    shared: 'Modelle, die du teilst',
    requests: 'Anfragen heute',
    requestsHint: ({ out, in: inward, local, unanswered }: Record<'out' | 'in' | 'local' | 'unanswered', number>) =>
      [
        `${number(out)} hinaus · ${number(inward)} herein · ${number(local)} lokal`,
        ...(unanswered === 0 ? [] : [`${number(unanswered)} unbeantwortet`]),
      ].join(' · '),
    given: (n: number) => `heute ${requests(n)} von Peers`,
    peersHint: (connected: number, known: number) =>
      `${peers(connected)} verbunden${known > connected ? `, ${number(known - connected)} weitere bekannt` : ''}`,
    sparkUse: 'Anfragen, die du an Peers gesendet hast, 24 Stunden',
    sparkGive: 'Anfragen von Peers, 24 Stunden',
    sparkAll: 'Alle Anfragen, 24 Stunden',
  },
}

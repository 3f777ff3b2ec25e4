import { list, models, number, peers, requests, tokens } from './count.js'
import { formatDay } from './days.js'

/** Models, by who may use them. */
type Counts = Readonly<Record<'me' | 'trusted' | 'everyone', number>>

/** What the pause buttons are called; how long they pause is not a matter of language. */
const PAUSE_TITLES = { quarter: '15 Min. Pause', hour: '1 Std. Pause', resume: 'Pause, bis ich fortsetze' }

/** The Share page in German. */
export const shareGerman = {
  sentence: ({ me, trusted, everyone }: Counts, servers: number) => {
    const shared = everyone + trusted
    if (everyone > 0 && trusted > 0) {
      return `Du teilst ${models(shared)}: ${everyone} mit allen, ${trusted} mit Leuten, denen du vertraust.`
    }
    if (shared > 0) return `Du teilst ${models(shared)} mit ${everyone > 0 ? 'allen' : 'Leuten, denen du vertraust'}.`
    if (me > 0) return `Deine Apps können ${models(me)} dieses Computers benutzen. Mit anderen teilst du keines.`
    return servers > 0 ? 'Dein Server antwortet nicht, deshalb ist gerade nichts geteilt.' : 'Du teilst noch nichts.'
  },
  found: (servers: number) =>
    servers === 1
      ? 'Ein Modellserver wurde gefunden. Wer darf ihn benutzen?'
      : `${number(servers)} Modellserver wurden gefunden. Wer darf sie benutzen?`,
  paused: (reason: string) => `Das Teilen ist pausiert: ${reason}.`,
  pausedUntil: (reason: string, time: string) => `Das Teilen ist pausiert: ${reason}. Weiter geht es um ${time}.`,
  pausedHint: 'Peers fragen solange anderswo; deine eigenen Apps sind nicht betroffen.',
  pausedBadge: 'Pause',
  down: (servers: readonly string[]) =>
    `${list(servers)} ${servers.length === 1 ? 'antwortet' : 'antworten'} nicht, deshalb ist gerade nichts geteilt.`,
  downHint: (servers: readonly string[]) =>
    `Die Modelle sind zurückgezogen. Sie werden automatisch wieder geteilt, sobald ${servers.length === 1 ? 'er' : 'einer von ihnen'} läuft.`,
  starting: (servers: readonly string[]) => `Warten auf die erste Antwort von ${list(servers)}.`,
  startingHint: 'Das Teilen beginnt automatisch, sobald er antwortet.',
  closed: 'Du teilst Modelle, aber dein Limit weist jede Anfrage ab.',
  closedHint: 'Gleichzeitige Anfragen von Peers sind auf 0 begrenzt.',
  closedAction: 'Limit ändern',
  full: (slots: number) =>
    `Alle ${number(slots)} Plätze und die Warteschlange sind belegt: Weitere Anfragen gehen an andere Peers, bis einer frei ist.`,
  someDown: (servers: readonly string[]) =>
    `${list(servers)} ${servers.length === 1 ? 'antwortet' : 'antworten'} nicht mehr; die Modelle kommen automatisch zurück. Die anderen sind geteilt.`,
  none: 'Auf diesem Computer wurde kein Modellserver gefunden.',
  noneHint:
    'Oder starte Ollama, LM Studio, llama.cpp, vLLM oder einen anderen Server; er erscheint hier automatisch. Wenn nicht, gib unten seinen Port ein.',
  scan: 'Neu suchen',
  scanned: 'Neu gesucht.',
  shareModels: 'Ein Modell teilen',
  action: ({ me, trusted, everyone }: Counts) => {
    if (everyone > 0 && trusted > 0) return `${everyone} mit allen teilen, ${trusted} mit Vertrauten`
    if (everyone > 0) return `${models(everyone)} mit allen teilen`
    if (trusted > 0) return `${models(trusted)} mit Vertrauten teilen`
    return me > 0 ? `${models(me)} nur auf diesem Computer benutzen` : 'Auswahl speichern'
  },
  chooseOne: 'Wähle mindestens ein Modell.',
  usableBy: ({ me, trusted, everyone }: Counts) =>
    [everyone > 0 ? `Alle: ${everyone}` : '', trusted > 0 ? `Vertraute: ${trusted}` : '', me > 0 ? `Nur du: ${me}` : '']
      .filter((part) => part !== '')
      .join(' · '),
  stop: 'Nicht mehr teilen',
  stopped: 'Beendet. Niemand kann die Modelle mehr benutzen; deine Auswahl bleibt gemerkt.',
  stoppedUntilRestart: 'Beendet bis zum nächsten Start: Es steht in der Konfiguration.',
  saved: ({ trusted, everyone }: Counts) => {
    if (everyone > 0) return 'Gespeichert. Peers können ab jetzt benutzen, was du teilst.'
    return trusted > 0
      ? 'Gespeichert. Leute, denen du vertraust, können es ab jetzt benutzen.'
      : 'Gespeichert. Nur deine eigenen Apps können es benutzen.'
  },
  whoMayUse: 'Wer sie benutzen darf',
  visibility: { me: 'Nur ich', trusted: 'Leute, denen ich vertraue', everyone: 'Alle' },
  visibilityOf: (id: string) => `Wer ${id} benutzen darf`,
  visibilityOfLater: 'Wer Modelle benutzen darf, die später dazukommen',
  visibilityMeans: {
    me: 'Deine eigenen Apps benutzen sie über die Basis-URL. Kein anderer Computer erfährt von ihnen.',
    trusted: 'Nur Computer von Leuten, die du angenommen hast, können sie benutzen. Sonst sieht niemand ihre Namen.',
    everyone: 'Jeder Computer im Netz sieht ihre Namen und kann sie benutzen, innerhalb deiner Limits.',
  },
  visibilityMixed: 'Unten hat jedes Modell seine eigene Einstellung.',
  serverState: {
    ready: 'Bereit',
    starting: 'Startet',
    asleep: 'Schläft, wacht bei einer Anfrage auf',
    busy: 'Ausgelastet',
    'needs-key': 'Braucht einen Schlüssel',
    'no-models': 'Keine Modelle',
    unusable: 'Nicht benutzbar',
    'not-found': 'Nicht gefunden',
  },
  sharedBadge: { me: 'Nur für dich', trusted: 'Mit Vertrauten geteilt', everyone: 'Mit allen geteilt' },
  waitsBadge: 'Antwortet nicht',
  load: (running: number, waiting: number) =>
    waiting > 0 ? `${running} in Arbeit, ${waiting} wartend` : `${running} in Arbeit`,
  column: {
    model: 'Modell',
    visibility: 'Wer es benutzen darf',
    names: 'Zweitnamen',
    context: 'Kontext',
    size: 'Größe',
    quantisation: 'Quant.',
    parameters: 'Parameter',
  },
  names: {
    hint: 'Weitere Namen des Modells, mit Kommas getrennt.',
    label: (id: string) => `Zweitnamen von ${id}`,
    placeholder: 'Zweitname',
    problem: {
      taken: 'Dieser Name ist doppelt. Jeder Name kann nur für ein Modell stehen.',
      odd: 'Ein Name kann nicht *, ., .. oder ~ sein und nicht länger als 200 Zeichen.',
    },
  },
  away: (name: string) =>
    `${name} antwortet nicht mehr. Seine Modelle sind zurückgezogen und kommen automatisch wieder, sobald er läuft.`,
  shareModel: (id: string) => `${id} teilen`,
  allModels: 'Auch Modelle, die später dazukommen',
  loaded: 'im Speicher',
  ticked: (ticked: number, all: number) => `${ticked} von ${models(all)} ausgewählt`,
  key: {
    label: 'Schlüssel dieses Servers',
    help: 'Bleibt auf diesem Computer und wird nie veröffentlicht.',
    use: 'Diesen Schlüssel benutzen',
    done: 'Der Schlüssel funktioniert.',
  },
  typeIn: {
    title: 'Server mit Adresse hinzufügen',
    label: 'Adresse',
    help: 'Ein Port oder Host:Port. Andere Computer brauchen die Einstellung service.allow-remote-target.',
    add: 'Diesen Port prüfen',
    bad: 'Gib einen Port von 1 bis 65535 ein, oder Host:Port.',
    forget: 'Vergessen',
  },
  test: 'Testen',
  live: 'Gerade jetzt',
  slots: 'Plätze',
  slotsUsed: (used: number, total: number) => `${used} von ${total} belegt`,
  noSlots: 'Keine: Das Limit ist 0, Anfragen von Peers werden abgewiesen.',
  own: (n: number) => `${count(n)} in Arbeit`,
  queue: (used: number) => `${requests(used)} wartend`,
  consumers: 'Benutzt von',
  noConsumers: 'Gerade von niemandem.',
  consumer: (running: number, waiting: number, tokensToday: number) =>
    [
      `${running} in Arbeit`,
      waiting > 0 ? `${waiting} wartend` : '',
      tokensToday > 0 ? `heute ${tokens(tokensToday)}` : '',
    ]
      .filter((part) => part !== '')
      .join(', '),
  block: 'Blockieren',
  unblock: 'Wieder zulassen',
  blockedPeers: 'Blockiert',
  blocked: 'Blockiert. Anfragen dieses Peers werden ab jetzt abgewiesen.',
  unblocked: 'Nicht mehr blockiert.',
  sharedAgain: 'Wieder geteilt, wie zuvor.',
  given: 'Heute geleistet',
  givenTokens: (n: number) => tokens(n),
  givenTo: (n: number, to: number) => `${requests(n)} für ${peers(to)}`,
  ever: (n: number, day: string) => `${tokens(n)} seit ${formatDay(day)}`,
  ledgerLink: 'Alles, was geleistet wurde',
  ledger: {
    back: 'Teilen',
    sentence: (all: { peers: number; requests: number; tokensOut: number }, day: string | null) =>
      day === null
        ? 'Du hast noch niemandem geholfen.'
        : `Du hast seit ${formatDay(day)} ${all.peers === 1 ? 'einer Person' : `${number(all.peers)} Leuten`} geholfen: ${requests(all.requests)}, ${tokens(all.tokensOut)}.`,
    export: { csv: 'Als CSV speichern', json: 'Als JSON speichern' },
    empty: 'In diesem halben Jahr wurde nichts geleistet.',
    emptyHint:
      'Was dieser Computer für andere tut, wird hier nach Tag, Modell und Peer gezählt; nie, was gesagt wurde.',
    chart: 'Tokens pro Woche',
    summary: (n: number) => `${tokens(n)} in einem halben Jahr, nach Wochen. Die Tabelle unten hat die Zahlen.`,
    division: { label: 'Aufteilen', model: 'Nach Modell', peer: 'Nach Peer' },
    others: 'Alle anderen',
    column: { model: 'Modell', peer: 'Peer', requests: 'Anfragen', tokens: 'Tokens' },
  },
  refused: 'Abgewiesen seit dem Start',
  pauseTitle: 'Pause',
  pauseFor: {
    quarter: { title: PAUSE_TITLES.quarter },
    hour: { title: PAUSE_TITLES.hour },
    resume: { title: PAUSE_TITLES.resume },
  },
  resume: 'Fortsetzen',
  pausedDone: 'Pausiert. Peers erfahren es sofort.',
  resumedDone: 'Das Teilen geht weiter.',
  stillRunning: (n: number) =>
    n === 1 ? '1 laufende Anfrage wird noch beendet.' : `${number(n)} laufende Anfragen werden noch beendet.`,
  rules: 'Automatische Pause',
  rulesHint: 'Jede Regel zeigt ihren jetzigen Stand.',
  holds: 'Pausiert gerade',
  holdsNot: 'Pausiert nicht',
  holdsUnknown: 'Auf diesem Computer nicht feststellbar',
  ruleName: {
    'user-active': 'Während ich diesen Computer benutze',
    'on-battery': 'Im Akkubetrieb',
    'gpu-busy': 'Während etwas anderes die GPU benutzt',
    program: 'Während bestimmte Programme laufen',
    schedule: 'Außerhalb der Stunden, die ich festlege',
  },
  ruleSet: 'Einstellen…',
  ruleOff: 'Aus',
  ruleUnable: {
    'user-active': 'Hier nicht: Nur die Desktop-App kann Tastatur und Maus sehen, und nicht auf jedem Desktop.',
  },
  limits: 'Limits',
  limitGroup: {
    all: { title: 'Alle Peers zusammen', hint: 'Wie viel dieser Computer gleichzeitig für andere arbeitet.' },
    peer: { title: 'Jeder Peer', hint: 'Was ein Computer benutzen darf, vertraut oder nicht.' },
    source: {
      title: 'Jede Quelle von Fremden',
      hint: 'Alle Fremden hinter einem Netz oder Relay zusammen. Leute, denen du vertraust, zählen nicht.',
    },
    strangers: { title: 'Alle Fremden zusammen', hint: 'Leute, denen du vertraust, zählen nicht.' },
    request: { title: 'Jede Anfrage', hint: 'Wie groß eine sein darf.' },
    who: { title: 'Welche Peers', hint: 'Blockierte Peers werden auch dann abgewiesen, wenn sie erlaubt sind.' },
  },
  limitsHint: 'Änderungen wirken sofort. Deine eigenen Anfragen warten nie hinter denen von Peers.',
  limitsSave: 'Limits speichern',
  limitsSaved: 'Gespeichert. Die Limits gelten.',
  limitsSavedLater: 'Gespeichert. Ein Flag oder eine Umgebungsvariable überlagert eines davon bis zum nächsten Start.',
  wholeNumber: (min: number, max: number) => `Gib eine ganze Zahl von ${number(min)} bis ${number(max)} ein.`,
  other: 'Dienste aus den Einstellungen',
  how: 'Einen Modellserver teilen',
  example: 'ocf start --service.name llm --service.port 11434',
  ports:
    'Übliche Ports: Ollama\u00a011434\u00a0· LM\u00a0Studio\u00a01234\u00a0· llama.cpp\u00a08080\u00a0· vLLM\u00a08000',
  status: { starting: 'Wartet auf die erste Antwort', connected: 'Läuft', down: 'Antwortet nicht' },
  published: 'Mit Peers geteilt',
  notPublished: 'Nur für dich',
  models: 'Modelle',
  noModels: 'Er führt keine Modelle auf.',
  paths: 'Pfade, die Peers benutzen können',
  privacy: 'Wer kann Prompts lesen?',
  privacyBody:
    'Zwischen Peers ist alles verschlüsselt, aber der Computer, der eine Anfrage beantwortet, kann sie lesen: Prompts von Peers erreichen deinen Server im Klartext, und deine erreichen den Peer, der dir antwortet.',
}

const count = (n: number): string => (n === 1 ? '1 eigene Anfrage' : `${number(n)} eigene Anfragen`)

import { number, requests } from './count.js'

/** A separator stays with what is before it. */
const DOT = '\u00a0· '

/** The Traffic page in German. */
export const trafficGerman = {
  sentence: (inward: number, out: number, local: number, unanswered: number) => {
    const all = inward + out + local + unanswered
    if (all === 0) return 'Heute gingen keine Anfragen durch diesen Knoten.'
    const none = unanswered === 0 ? '' : `${DOT}${number(unanswered)} unbeantwortet`
    return `Heute ${requests(all)}: ${number(out)} an Peers${DOT}${number(inward)} von Peers${DOT}${number(local)} lokal${none}.`
  },
  unanswered: 'Niemand',
  unansweredHint: 'Kein Anbieter wurde gefragt: Niemand bot es an.',
  empty: 'Noch keine Anfrage.',
  emptyHint: 'Sende eine mit einem Beispiel von der Startseite; sie erscheint hier, während sie läuft.',
  pause: 'Liste anhalten',
  resume: (fresh: number) => (fresh === 0 ? 'Liste fortsetzen' : `Liste fortsetzen (${number(fresh)} neu)`),
  direction: { out: 'Hinaus', in: 'Herein', local: 'Lokal' },
  directionHint: {
    out: 'Eine App auf diesem Computer benutzte einen Peer.',
    in: 'Ein Peer benutzte diesen Computer.',
    local: 'Eine App auf diesem Computer benutzte diesen Computer.',
  },
  path: {
    'direct-quic': 'QUIC',
    'direct-tcp': 'TCP',
    'direct-ws': 'WebSocket',
    'hole-punched': 'Durch Router',
    relayed: 'Über Relay',
  },
  keyHint: 'Der API-Schlüssel, der fragte; nur Apps, die einen zeigen, sind benannt.',
  bytes: (bytes: string) => `Die Antwort hat ${bytes}.`,
  running: 'läuft',
  cancelled: {
    client: 'Die App hat die Verbindung getrennt.',
    provider: 'Der Anbieter antwortete nicht weiter.',
    node: 'Dieser Knoten wurde beendet.',
  },
  cancelledShort: 'abgebrochen',
  column: {
    time: 'Zeit',
    direction: 'Richtung',
    model: 'Modell',
    peer: 'Peer',
    key: 'API-Schlüssel',
    path: 'Weg',
    status: 'Status',
    ttft: 'Erstes Byte',
    duration: 'Dauer',
    tokens: 'Tokens',
    speed: 'Tokens/s',
    tries: 'Versuche',
  },
  open: (clock: string) => `Anfrage von ${clock}`,
  shown: (n: number, all: number) => (n === all ? requests(n) : `${number(n)} von ${requests(all)}`),
  noMatch: 'Keine passenden Anfragen.',
  search: 'Modell, Peer, API-Schlüssel oder Ursache',
  filter: {
    direction: { label: 'Richtung', all: 'Alle', out: 'Hinaus', in: 'Herein', local: 'Lokal' },
    outcome: { label: 'Ausgang', all: 'Alle', failed: 'Gescheitert', unanswered: 'Unbeantwortet' },
  },
  range: { label: 'Zeit', '5m': '5 Min.', '1h': '1 Std.', '24h': '24 Std.', '30d': '30 Tage' },
  chart: {
    requests: 'Anfragen',
    requestsUnit: (step: string) => `pro ${step}`,
    tokens: 'Tokens der Antworten',
    latency: 'Zeit bis zum ersten Byte',
    latencyOf: 'Median, und 95 % aller',
    slow: '95 % schneller als',
    failed: 'Gescheitert',
    given: 'Geleistet',
    used: 'Benutzt',
    none: 'Keine Anfragen in dieser Zeit.',
    summary: (title: string, total: string) => `${title}: ${total}. Die Liste hat die Zahlen.`,
  },
  step: (ms: number) => {
    if (ms < 60_000) return ms === 1000 ? 'Sekunde' : `${ms / 1000} s`
    if (ms < 3_600_000) return ms === 60_000 ? 'Minute' : `${ms / 60_000} Min.`
    if (ms < 86_400_000) return ms === 3_600_000 ? 'Stunde' : `${ms / 3_600_000} Std.`
    return 'Tag'
  },
  figures: 'Übersicht',
  percentiles: {
    ttfb: 'Erstes Byte',
    of: { out: '– von Peers', in: '– für Peers', local: '– lokal' },
    duration: 'Dauer',
    label: 'Zeiten',
    hint: (percent: number) => `${percent} von 100 Anfragen waren schneller.`,
  },
  total: {
    ok: 'Beantwortet',
    failed: 'Gescheitert',
    cancelled: 'Abgebrochen',
    tokensUsed: 'Tokens, die du benutzt hast',
    tokensGiven: 'Geleistete Tokens',
  },
  apps: {
    title: 'Nach App',
    of: (n: number) => `der letzten ${requests(n)}`,
    app: 'API-Schlüssel',
    none: 'Ohne Schlüssel',
    requests: 'Anfragen',
    failed: 'Gescheitert',
    tokens: 'Tokens der Antworten',
  },
  errors: 'Fehler nach Ursache',
  noErrors: 'Keine Fehler in dieser Zeit.',
  httpError: (status: string) => `Der Server antwortete mit ${status}`,
  detail: {
    title: 'Anfrage',
    when: 'Zeit',
    way: 'Richtung',
    what: 'Anfrage',
    model: 'Modell',
    key: 'API-Schlüssel',
    peer: 'Peer',
    path: 'Weg',
    outcome: 'Ausgang',
    ttft: 'Erstes Byte',
    duration: 'Dauer',
    tokensIn: 'Tokens der Anfrage',
    tokensOut: 'Tokens der Antwort',
    counted: 'hier gezählt',
    reported: 'vom Server gemeldet',
    bytes: 'Bytes',
    bytesValue: (inward: string, out: string) => `${inward} gesendet, ${out} empfangen`,
    candidates: 'Bekannte Anbieter',
    considered: 'Erwartete Wartezeit bei den besten',
    waits: (ms: { total: string; rtt: string; fixed: string; read: string; queue: string }, unread: string) =>
      `${ms.total}: Entfernung ${ms.rtt}, Start ${ms.fixed}, ${unread} ungelesene Tokens ${ms.read}, Warteschlange ${ms.queue}`,
    hangs: (ms: string) => `eine Anfrage hängt dort ${ms}`,
    tries: 'Versuche',
    id: 'Id der Anfrage',
    idHint: 'Header, Logs und Fehler tragen dieselbe Id.',
    legs: 'Versuche',
    noLegs: 'Kein Anbieter wurde gefragt.',
    local: 'Dieser Computer',
    connect: (ms: string) => `verbunden nach ${ms}`,
    first: (ms: string) => `geantwortet nach ${ms}`,
    gone: 'Diese Anfrage ist nicht mehr in der Liste.',
  },
}

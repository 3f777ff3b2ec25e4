import { count, number, peers, requests } from './count.js'

/** The Network page in German. */
export const networkGerman = {
  sentence: (n: number, direct: number) => {
    if (n === 0) return 'Gerade ist kein Peer verbunden.'
    if (n === 1) return `Du bist mit 1 Peer verbunden, ${direct === 1 ? 'direkt' : 'über ein Relay'}.`
    const how = direct === n ? 'mit allen direkt' : direct === 0 ? 'mit allen über Relays' : `mit ${direct} direkt`
    return `Du bist mit ${peers(n)} verbunden, ${how}.`
  },
  empty: 'Noch keine Peers.',
  emptyHint: {
    standalone:
      'Dieser Knoten läuft im Modus standalone und verbindet sich mit niemandem. Starte ihn mit `--mode node`, um teilzunehmen.',
    other: 'Prüfe die Bootstrap-Einstellungen, oder gib einem anderen Knoten die Adresse unten als `--bootstrap.addr`.',
  },
  picture: 'Karte',
  pictureLabel: (connected: number, known: number) =>
    `Dieser Knoten in der Mitte, darum ${count(connected, 'verbundener Peer', 'verbundene Peers')}, außen ${count(known, 'bekannter', 'bekannte')}. Die Tabelle unten zeigt dasselbe.`,
  me: 'Du',
  mapHint: (left: number) =>
    left === 0
      ? 'Zeige auf einen Peer, um zu sehen, wie er erreicht wird; ein Klick zeigt alles.'
      : `${count(left, 'weiterer Peer', 'weitere Peers')} in der Tabelle unten.`,
  offering: (n: number) => (n === 0 ? '' : `bietet ${count(n, 'Modell', 'Modelle')}`),
  running: (n: number) => `${requests(n)} in Arbeit`,
  isRelay: 'ein Relay für andere',
  moreAddresses: (n: number) => `${number(n)} weitere`,
  copyAddress: (address: string) => `${address} kopieren`,
  showStrangers: (n: number) => (n === 1 ? '1 Fremden zeigen' : `${number(n)} Fremde zeigen`),
  hideStrangers: 'Fremde verbergen',
  legend: { direct: 'Direkt', punched: 'Durch beide Router', relayed: 'Über Relay', known: 'Bekannt, nicht verbunden' },
  peerLabel: (id: string, how: string) => `Peer ${id}: ${how}`,
  self: 'Dieser Knoten',
  peerId: 'Peer-Id',
  addresses: 'Adressen, unter denen andere ihn erreichen',
  noAddresses: 'Keine: Dieser Knoten hat keine Adresse, die andere erreichen können.',
  peers: 'Peers',
  search: 'Name, Peer oder Angebot',
  noMatch: 'Keine passenden Peers.',
  column: {
    peer: 'Peer',
    path: 'Weg',
    rtt: 'Latenz',
    offers: 'Bietet',
    version: 'Version',
    since: 'Verbunden',
    direction: 'Verbindung geöffnet von',
    detail: 'Einzelheit',
  },
  open: (id: string) => `Einzelheiten zu Peer ${id}`,
  details: 'Einzelheiten',
  direction: { inbound: 'ihm', outbound: 'diesem Knoten' },
  notConnected: 'Bekannt, nicht verbunden',
  unsigned: {
    name: 'Unsigniertes Netz',
    hint: 'Ein Anbieter des Netzes OpenTela, dessen Liste niemand signiert. Er wurde selbst gefragt, was er bietet; für dich ist er ein Fremder.',
    title: 'Netz OpenTela',
    meaning:
      'Ein Netz eines anderen Programms. Seine Liste der Anbieter ist nicht signiert; jeder steht hier nur mit dem, was er selbst sagt.',
    takesPart: 'Dieser Knoten',
    mode: { use: 'Nutzt seine Modelle', share: 'Nutzt seine Modelle und bietet eigene an' },
    nodes: 'Seine Knoten',
    connected: (n: number) => (n === 0 ? 'Keiner verbunden' : `${number(n)} verbunden`),
    providers: 'Seine Anbieter',
    providing: (n: number) => (n === 0 ? 'Noch keiner gefunden' : count(n, 'Anbieter', 'Anbieter')),
    offered: 'Dort angeboten',
    offering: (models: number, listedBy: number, notListedBy: number) =>
      models === 0
        ? 'Nichts: Es ist nichts mit allen geteilt.'
        : `${count(models, 'Modell', 'Modelle')}, in der Liste von ${number(listedBy)} der ${number(listedBy + notListedBy)} gefragten Knoten`,
    builds:
      'Manche Knoten führen diesen nicht auf. Üblicherweise nehmen sie nur Programme, die die Macher von OpenTela signiert haben; dieses gehört nicht dazu. Ihre Modelle kannst du trotzdem nutzen.',
  },
  path: {
    'direct-quic': 'Direkt · QUIC',
    'direct-tcp': 'Direkt · TCP',
    'direct-ws': 'Direkt · WebSocket',
    'hole-punched': 'Direkt · durch beide Router',
    relayed: 'Über Relay',
  },
  pathHint: {
    'direct-quic': 'Direkt zum Peer über QUIC.',
    'direct-tcp': 'Direkt zum Peer über TCP.',
    'direct-ws': 'Direkt zum Peer über einen WebSocket.',
    'hole-punched': 'Direkt zum Peer, durch beide Router hindurch.',
    relayed: 'Über einen anderen Peer, der die verschlüsselten Daten weiterreicht: langsamer, und es kann abbrechen.',
  },
  noOffers: 'nichts',
  bootstrap: {
    title: 'Bootstrap-Quellen',
    column: { source: 'Quelle', state: 'Letzter Versuch', result: 'Ergebnis', asked: 'Gefragt' },
    state: { ok: 'Hat geantwortet', waiting: 'Nicht gefragt', failed: 'Gescheitert', bad: 'Unbrauchbar' },
    hint: {
      ok: 'Sie nannte Adressen von Peers.',
      waiting: 'Sie wird gefragt, solange kein Peer verbunden ist.',
      failed: 'Sie wird wieder gefragt, solange kein Peer verbunden ist.',
      bad: 'Sie ist ungültig und wird nie gefragt.',
    },
    reported: (addresses: number) => count(addresses, 'Adresse', 'Adressen'),
    empty: 'Keine Bootstrap-Quelle eingestellt.',
    emptyHint: {
      standalone: 'Im Modus standalone fragt dieser Knoten niemanden.',
      other:
        'Ohne eine wartet ein Knoten, bis sich ein anderer mit ihm verbindet. Füge eine in den Einstellungen hinzu oder mit `--bootstrap.sources`.',
    },
  },
  detail: {
    title: 'Peer',
    through: 'Über das Relay',
    remote: 'Verbunden über',
    firstByte: { out: 'Erstes Byte, von ihm', in: 'Erstes Byte, für ihn' },
    firstByteHint: 'Median der letzten Anfragen.',
    models: 'Modelle',
    gone: 'Dieser Peer ist nicht mehr verbunden und steht nicht mehr in der Knotentabelle.',
  },
}

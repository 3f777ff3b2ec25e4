import { models } from './count.js'

/** People, invites and pairing in German. */
export const peopleGerman = {
  join: {
    title: 'Jemandem beitreten',
    label: 'Einladung oder Adresse',
    help: 'Füge ein, was du bekommen hast: eine Einladung (ocf1…), ihren Link oder die ganze Nachricht. Auch die Adresse eines Knotens oder Name oder Schlüssel eines Netzes.',
    placeholder: 'ocf1…',
    missing: 'Füge erst eine Einladung oder Adresse ein.',
    next: 'Weiter',
    isPlace: 'Das ist keine Einladung. Ist dort ein Knoten, oder ist es ein Netz?',
    placeMeans:
      'Dein Knoten verbindet sich damit und findet von dort andere und die Modelle, die sie mit allen teilen. Vertrauen entsteht dadurch nicht.',
    confirmPlace: 'Verbinden',
    looking: 'Verbinden… Das dauert höchstens eine halbe Minute.',
    invites: (name: string) => `${name} lädt dich ein`,
    noName: 'Jemand',
    who: 'Eingeladen von',
    network: 'Netz',
    networks: {
      public: 'das offene: auch Fremde können darin sein',
      private: 'ein privates: nur Leute mit seinem Schlüssel sind darin',
    },
    expires: 'Gültig bis',
    means:
      'Ihr werdet einander vertrauen: Jeder kann benutzen, was der andere mit Vertrauten teilt, und sieht seinen Namen.',
    alreadyTrusted: 'Ihr vertraut einander schon. Beitreten ändert nichts.',
    switchMeans:
      'Dieser Knoten ist in einem anderen Netz. Zum Beitreten übernimmt er den Schlüssel des Netzes der Einladung und wechselt beim nächsten Start; Peers des jetzigen Netzes sind dann nicht mehr erreichbar.',
    confirm: (name: string) => `${name} beitreten`,
    confirmSwitch: 'Netz wechseln und beitreten',
    later: 'Nicht jetzt',
    close: 'Schließen',
    again: 'Erneut versuchen',
    stage: {
      reaching: (name: string) => `${name} wird erreicht…`,
      proving: (name: string) => `Die Einladung wird ${name} gezeigt…`,
    },
    took: (seconds: number) => `${seconds} s, höchstens eine halbe Minute`,
    linkTitle: 'Du hast eine Einladung geöffnet',
    models: 'Ansehen, was du benutzen kannst',
    inviteInstead: 'Lieber jemanden einladen',
  },
  title: 'Leute',
  intro: (n: number) =>
    n === 0
      ? 'Sie können noch keines deiner Modelle benutzen: Wähle auf der Seite Teilen „Leute, denen ich vertraue“ oder „Alle“.'
      : `Sie können ${models(n)} von dir benutzen. Die Seite Teilen zeigt, welche.`,
  empty: 'Du vertraust noch niemandem.',
  emptyHint:
    'Lade jemanden ein: Die Person bekommt eine Zeile zum Einfügen oder einen Code zum Scannen, und ihr könnt die Modelle des anderen benutzen.',
  you: 'Du heißt',
  youUnnamed: 'Du hast keinen Namen angegeben: Leute sehen einen Teil deiner Peer-Id.',
  youChange: 'Ändern…',
  youFixed: 'Ein Flag oder eine Umgebungsvariable legt deinen Namen fest.',
  export: 'Liste speichern',
  column: { name: 'Name', state: 'Zuletzt gesehen', since: 'Vertraut seit', how: 'Wie', change: 'Ändern' },
  connected: 'Verbunden',
  neverSeen: 'nie',
  how: {
    invited: 'kam mit deiner Einladung',
    accepted: 'hat dich eingeladen',
    code: 'gleicher Code auf beiden Bildschirmen',
    hand: 'über die Peer-Id',
    settings: 'durch die Einstellung trusted-peers',
  },
  callsItself: (name: string) => `nennt sich ${name}`,
  rename: {
    open: 'Umbenennen',
    label: (name: string) => `${name} umbenennen`,
    title: (name: string) => `Ein Name für ${name}`,
    field: 'Name',
    help: 'Nur du siehst ihn. Leer gilt der Name, den die Person selbst gewählt hat.',
    own: 'Dein Name',
    ownHelp: 'Leute, denen du vertraust, sehen ihn. Leer wird keiner gesendet.',
    save: 'Namen speichern',
    saved: 'Name gespeichert.',
    reset: 'Voreinstellung benutzen',
  },
  remove: {
    open: 'Entfernen…',
    label: (name: string) => `${name} entfernen`,
    title: (name: string) => `${name} nicht mehr vertrauen?`,
    consequence:
      'Was zwischen euch läuft, endet sofort. Die Person kann nicht mehr benutzen, was du mit Vertrauten teilst; was du mit allen teilst, bleibt ihr offen.',
    fixed: 'Die Einstellung trusted-peers nennt sie: Entferne sie dort.',
    do: 'Nicht mehr vertrauen',
    done: (name: string) => `Du vertraust ${name} nicht mehr.`,
    inviteOpen:
      'Die Person kam mit einer Einladung, die noch offen ist. Widerrufe sie unten, sonst kann sie zurückkommen.',
  },
  invites: {
    title: 'Offene Einladungen',
    unnamed: 'ohne Namen',
    column: { name: 'Für', uses: 'Noch übrig', expires: 'Läuft ab', revoke: 'Widerrufen' },
    uses: (left: number, all: number) => `${left} von ${all}`,
    revoke: 'Widerrufen…',
    label: (name: string) => `Einladung für ${name} widerrufen`,
    revokeTitle: (name: string) => `Die Einladung für ${name} widerrufen?`,
    consequence: 'Ab jetzt kann niemand mehr damit beitreten. Wer damit kam, bleibt vertraut.',
    do: 'Einladung widerrufen',
    done: 'Die Einladung ist widerrufen.',
  },
  invite: {
    open: 'Jemanden einladen',
    title: 'Jemanden einladen',
    name: 'Für',
    nameHelp: 'Nur für deine Liste; die Person sieht es nicht.',
    uses: 'Leute, die damit beitreten dürfen',
    usesOptions: [
      { value: '1', label: '1 Person' },
      { value: '5', label: 'bis zu 5' },
      { value: '20', label: 'bis zu 20' },
    ],
    time: 'Gültig für',
    timeOptions: [
      { value: '3600000', label: '1 Stunde' },
      { value: '86400000', label: '1 Tag' },
      { value: '604800000', label: '7 Tage' },
      { value: '2592000000', label: '30 Tage' },
    ],
    do: 'Einladung erstellen',
    made: (name: string) => (name === '' ? 'Deine Einladung' : `Einladung für ${name}`),
    warning: 'Jeder, der sie hat, kann dir beitreten. Sende sie nur der Person, für die sie ist.',
    once: 'Sie wird nur jetzt gezeigt. Widerrufen kannst du sie jederzeit unter Netzwerk → Leute.',
    qr: 'Die Einladung als Code zum Scannen',
    qrHelp: 'Scanne sie mit einem Telefon, um sie weiterzugeben, oder kopiere sie:',
    copy: 'Einladung kopieren',
    copyLink: 'Link kopieren',
    email: 'E-Mail schreiben',
    subject: 'Komm zu mir bei Open Compute',
    body: (text: string) =>
      `Ich möchte KI-Modelle mit dir teilen. Installiere Open Compute, öffne es, wähle Netzwerk und füge diese Zeile ein:\n\n${text}\n`,
    reach: {
      lan: 'Dieser Knoten ist nur in deinem lokalen Netz erreichbar: Die andere Person muss auch darin sein.',
      machine:
        'Dieser Knoten ist nur von diesem Computer aus erreichbar. Stelle p2p-host ein, damit andere ihn erreichen.',
      nowhere:
        'Noch ist keine Adresse dieses Knotens bekannt, deshalb kann niemand mit dieser Einladung beitreten. Versuche es in einer Minute noch einmal.',
    },
    close: 'Fertig',
  },
}

/** Pairing with a computer nearby, in German. */
export const pairingGerman = {
  nearby: 'In der Nähe',
  nearbyHelp:
    'Computer in deinem lokalen Netz, auf denen dieses Programm läuft. Kopple dich mit einem: Ihr vergleicht beide einen Code.',
  none: 'In deinem lokalen Netz ist noch niemand zu sehen.',
  noneHint:
    'Starte dieses Programm auf dem anderen Computer, im selben Netz. Ist er anderswo, sende stattdessen eine Einladung.',
  unknown: 'Unbekannt',
  at: (address: string) => `unter ${address}`,
  trusted: 'Vertraut',
  pair: 'Koppeln',
  pairAgain: 'Neu koppeln',
  pairWith: (name: string) => `Mit ${name} koppeln`,
  pairAgainWith: (name: string) => `Neu mit ${name} koppeln`,
  title: (name: string) => `Mit ${name} koppeln`,
  reaching: 'Der andere Computer wird nach einem Code gefragt…',
  compare: 'Steht dieser Code auf dem anderen Bildschirm?',
  compareHelp:
    'Vergleiche ihn, während du die andere Person siehst oder hörst. Dann vertraut ihr einander: Jeder kann benutzen, was der andere mit Vertrauten teilt, und sieht seinen Namen.',
  differHelp: 'Die Codes sind verschieden? Dann ist jemand dazwischen: Drücke „Verschieden“. Nichts wird geändert.',
  spoken: (digits: string) => `Der Code ist ${digits}`,
  theyConfirmed: 'Die andere Person hat bestätigt.',
  waiting: 'Du hast bestätigt. Warten auf die andere Person…',
  match: 'Gleich',
  differ: 'Verschieden',
  cancel: 'Abbrechen',
  left: (minutes: number, seconds: string) => `noch ${minutes}:${seconds}`,
  again: 'Neu koppeln',
  close: 'Schließen',
  models: 'Ansehen, was du benutzen kannst',
  asks: 'Ein Computer in der Nähe möchte sich koppeln',
  asksHelp: (name: string, address: string) =>
    `${name} unter ${address}. Sieh dir den Code nur an, wenn du dich gerade mit jemandem koppelst.`,
  show: 'Code zeigen',
  refuse: 'Ablehnen',
  refused: 'Du hast abgelehnt. Nichts wurde geändert.',
}

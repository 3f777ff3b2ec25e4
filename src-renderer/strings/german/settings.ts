import { count, number } from './count.js'

/** Settings as people call them. */
const NAMED: Readonly<
  Record<string, { label: string; help?: string; placeholder?: string; choices?: Readonly<Record<string, string>> }>
> = {
  'pause.schedule': {
    label: 'Nur in diesen Stunden teilen',
    help: 'Nach der Uhr dieses Computers. Klicken oder ziehen; Pfeiltasten wandern, die Leertaste wechselt eine Stunde.',
  },
  'pause.user-active': {
    label: 'Pause, während ich diesen Computer benutze',
    help: 'Nur die Desktop-App sieht Tastatur und Maus.',
  },
  'pause.on-battery': {
    label: 'Pause im Akkubetrieb',
    help: 'Das Teilen geht weiter, sobald der Computer am Netz hängt.',
  },
  'pause.gpu-busy': {
    label: 'Pause, während etwas anderes die GPU benutzt',
    help: 'Ab dieser Last, solange hier keine Anfrage läuft.',
  },
  'pause.programs': {
    label: 'Pause, während eines dieser Programme läuft',
    help: 'Dateinamen, mit Kommas getrennt: blender, game.exe',
  },
  'limits.concurrent': {
    label: 'Gleichzeitige Anfragen von Peers',
    help: 'Je mehr, desto langsamer jede einzelne. Deine eigenen gehen immer vor.',
  },
  'limits.requests-per-minute': {
    label: 'Anfragen pro Peer',
    help: 'Weitere werden abgewiesen, bis eine Minute um ist.',
  },
  'limits.tokens-per-day': {
    label: 'Tokens pro Peer und Tag',
    help: 'Prompts und Antworten zusammen, bis Mitternacht.',
  },
  'limits.max-tokens': { label: 'Längste Antwort', help: 'Anfragen, die mehr verlangen, werden darauf gekürzt.' },
  name: {
    label: 'Name dieses Computers',
    help: 'Leute, denen du vertraust, sehen ihn. Fremde nie.',
    placeholder: 'Dein Vorname',
  },
  network: {
    label: 'Öffentliches Netz',
    help: 'In einem kann jeder sein: Dort antworten dir Computer von Fremden.',
    choices: { none: 'Keines' },
  },
  'go-network': {
    label: 'Netz OpenTela',
    choices: {
      off: 'Nicht teilnehmen',
      use: 'Seine Modelle nutzen',
      share: 'Seine Modelle nutzen und eigene anbieten',
    },
  },
  mdns: { label: 'Computer im lokalen Netz finden', help: 'Automatisch, mit Multicast-DNS.' },
  'people.nearby': {
    label: 'Computer in der Nähe dürfen eine Kopplung anfragen',
    help: 'Beide Bildschirme zeigen dann einen Code. Auch ohne das kannst du sie fragen.',
  },
  upnp: { label: 'Ports am Router öffnen', help: 'Mit UPnP, damit Peers diesen Computer direkt erreichen.' },
  relay: {
    label: 'Relay für andere sein',
    help: 'Reicht verschlüsselte Daten von Peers weiter, die einander nicht erreichen.',
    choices: { auto: 'Wenn das Internet mich erreicht', on: 'Immer', off: 'Nie' },
  },
  'use.reach': {
    label: 'Wer meine Anfragen beantworten darf',
    help: 'Der Computer, der antwortet, kann lesen, was du sendest.',
    choices: { own: 'Nur dieser Computer', trusted: 'Nur Leute, denen ich vertraue', anyone: 'Jeder' },
  },
  'use.exposure': {
    label: 'Fremde, die eine Anfrage lesen dürfen',
    help: 'Scheitert der erste oder ist er langsam, wird der nächste gefragt.',
  },
  'chats.keep': {
    label: 'Chats auf diesem Computer aufbewahren',
    help: 'Verschlüsselt, im Datenordner. Sonst sind sie weg, wenn du die Seite schließt oder neu lädst.',
  },
  'cors-origins': {
    label: 'Webseiten, die Modelle benutzen dürfen',
    help: 'Adressen, mit Kommas getrennt; * ist jede Seite, die du im Browser öffnest.',
  },
  'api-key': {
    label: 'API-Schlüssel für Apps',
    help: 'Ob Apps einen Schlüssel zeigen müssen. Andere Computer erreichen das Gateway nur, wo du es für sie öffnest.',
    choices: { auto: 'Nur von anderen Computern', required: 'Immer', none: 'Nie' },
  },
}

/** The Settings page in German. */
export const settingsGerman = {
  basic: {
    sentence: 'Änderungen werden sofort gespeichert.',
    index: 'Abschnitte der Einstellungen',
    advanced: 'Erweitert',
    back: 'Zurück zu den Einstellungen',
    section: {
      general: 'Allgemein',
      sharing: 'Wann geteilt wird',
      limits: 'Limits für Peers',
      network: 'Netzwerk',
      privacy: 'Privatsphäre',
      keys: 'API-Schlüssel',
      identity: 'Identität',
      about: 'Über',
    },
    of: (name: string, help: string) => ({ label: NAMED[name]?.label ?? name, help: NAMED[name]?.help ?? help }),
    placeholder: (name: string, usual: string) => NAMED[name]?.placeholder ?? usual,
    choice: (name: string, choice: string) => NAMED[name]?.choices?.[choice] ?? choice,
    overridden: (where: string) => `Festgelegt durch ${where}, deshalb hier nicht zu ändern.`,
    unit: {
      slots: (n: number) => (n === 0 ? 'keine: alle abgewiesen' : `${n} zugleich`),
      perMinute: (n: number) => (n === 0 ? 'unbegrenzt' : `${n} pro Minute`),
      tokens: (n: number) => (n === 0 ? 'unbegrenzt' : `${number(n)} Tokens`),
      percent: (n: number) => (n === 0 ? 'nie' : `ab ${n} %`),
      strangers: (n: number) => count(n, 'Fremder', 'Fremde'),
    },
    hours: {
      label: 'Stunden, in denen dieser Computer teilt',
      days: ['Mo', 'Di', 'Mi', 'Do', 'Fr', 'Sa', 'So'],
      cell: (day: string, hour: number) => `${day} ${hour}:00 bis ${hour + 1}:00`,
      always: 'Immer',
      never: 'Wähle mindestens eine Stunde. Um nichts zu teilen, pausiere stattdessen.',
      all: 'Ganze Woche',
      clear: 'Leeren',
      save: 'Stunden speichern',
      odd: (value: string) => `${value}: feiner als ganze Stunden, deshalb unter Erweitert zu ändern.`,
    },
  },
  sentence: (changed: number) =>
    changed === 0
      ? 'Alles läuft mit den Voreinstellungen.'
      : `${count(changed, 'Einstellung weicht', 'Einstellungen weichen')} von der Voreinstellung ab.`,
  search: 'Einstellungen suchen',
  noMatch: 'Keine passenden Einstellungen.',
  appearance: 'Aussehen',
  theme: { label: 'Farben', auto: 'System', light: 'Hell', dark: 'Dunkel' },
  language: { label: 'Sprache', auto: 'System' },
  app: {
    title: 'Diese App',
    closeToTray: {
      label: 'Weiterlaufen, wenn das Fenster geschlossen wird',
      help: 'Der Knoten bleibt in der Taskleiste, und Peers können weiter benutzen, was du teilst.',
    },
    notifications: {
      label: 'Benachrichtigungen zeigen',
      help: 'Benachrichtigungen des Systems, etwa bei der ersten Anfrage, die du beantwortest.',
    },
    autostart: {
      label: 'Bei der Anmeldung starten',
      help: 'Der Knoten startet ohne Fenster.',
    },
    updates: {
      label: 'Einmal am Tag nach Updates suchen',
      help: 'Ein Update wird nur installiert, wenn du es verlangst, durch einen Neustart.',
    },
  },
  origin: { default: 'Standard', file: 'Datei', environment: 'Umgebung', flag: 'Flag' },
  overridden: 'Durch ein Flag oder eine Umgebungsvariable festgelegt; das überlagert, was hier gespeichert ist.',
  restart: 'Wirkt nach einem Neustart',
  next: (value: string) => `Nach dem nächsten Start: ${value === '' ? 'nicht gesetzt' : value}`,
  pending: (n: number) => `${count(n, 'Änderung wirkt', 'Änderungen wirken')} nach dem nächsten Start.`,
  notSet: 'nicht gesetzt',
  onlyChanged: 'Nur geänderte',
  column: { name: 'Einstellung', value: 'Wert', origin: 'Aus' },
  edit: 'Ändern',
  editLabel: (name: string) => `${name} ändern`,
  save: 'Speichern',
  cancel: 'Abbrechen',
  reset: 'Zurücksetzen',
  resetLabel: (name: string) => `Zurücksetzen: ${name}`,
  saved: (name: string) => `Gespeichert: ${name}.`,
  savedLater: (name: string) => `Gespeichert: ${name}. Es wirkt nach dem nächsten Start.`,
  resetDone: (name: string) => `${name} hat wieder die Voreinstellung.`,
  on: 'an',
  off: 'aus',
  expected: (what: string) => `Erwartet: ${what}.`,
  listHint: 'Mit Kommas getrennt.',
  secretHint: 'Der gespeicherte Wert wird nicht gezeigt.',
  log: 'Log',
  logLevel: 'Mindeststufe',
  logSearch: 'Log durchsuchen',
  logCopy: 'Zeilen kopieren',
  logEmpty: 'Keine passenden Zeilen',
  logTail: (n: number) => `Log, ${count(n, 'Zeile', 'Zeilen')}`,
  about: 'Über diesen Knoten',
  version: 'Version',
  mode: 'Modus',
  started: 'Gestartet',
  licences: 'Lizenzen Dritter',
  licencesShow: 'Liste zeigen',
  licenceTexts: 'Lizenztexte',
  licencesNone: 'Die Liste entsteht mit der Oberfläche; dieser Build hat keine.',
}

import { requests, tokens } from './count.js'

/** The key of this node, in German. */
export const identityGerman = {
  title: 'Identität',
  hint: 'Der Schlüssel macht diesen Knoten nach jedem Start zum selben Peer. Bewahre eine Sicherung auf, und betreibe nie zwei Knoten mit einem Schlüssel.',
  seeded:
    'Der Schlüssel kommt aus der Einstellung seed, deshalb gibt es nichts wiederherzustellen. Jeder, der den Seed kennt, kann sich als dieser Knoten ausgeben.',
  peerId: 'Peer-Id',
  file: 'Schlüsseldatei',
  pending: (peerId: string) =>
    `Eine Sicherung wurde wiederhergestellt. Nach dem nächsten Start ist dieser Knoten ${peerId}.`,
  backup: {
    open: 'Sichern…',
    title: 'Identität sichern',
    hint: 'Die Datei enthält den Schlüssel dieses Knotens, mit einer Passphrase verschlossen. Jeder, der beides hat, kann sich als dieser Knoten ausgeben; ohne die Passphrase ist die Datei nutzlos, auch für dich.',
    passphrase: 'Passphrase',
    passphraseHelp: (min: number) =>
      `Mindestens ${min} Zeichen; mehrere Wörter sind besser als eines. Sie wird nirgends gespeichert.`,
    again: 'Passphrase wiederholen',
    tooShort: (min: number) => `Gib mindestens ${min} Zeichen ein.`,
    differs: 'Die Passphrasen stimmen nicht überein.',
    save: 'Sicherung speichern',
    busy: 'Der Schlüssel wird verschlossen',
    done: (fileName: string) => `Gespeichert als ${fileName}.`,
  },
  restore: {
    open: 'Wiederherstellen…',
    title: 'Identität wiederherstellen',
    file: 'Sicherungsdatei',
    tooBig:
      'Diese Datei ist viel zu groß für die Sicherung einer Identität. Wähle die Datei, die „Sichern“ gespeichert hat.',
    holds: 'Sicherung von',
    made: 'Erstellt',
    now: 'Dieser Knoten jetzt',
    passphrase: 'Passphrase der Sicherung',
    consequence:
      'Nach dem nächsten Start hat dieser Knoten die Peer-Id der Sicherung, und andere Peers finden ihn nicht mehr unter der jetzigen. Der jetzige Schlüssel bleibt neben dem neuen erhalten. Achte darauf, dass kein anderer Knoten mit dem Schlüssel der Sicherung läuft.',
    do: 'Wiederherstellen',
    busy: 'Die Sicherung wird geöffnet',
    done: (keptAs: string) =>
      `Wiederhergestellt; es wirkt nach dem nächsten Start. Der jetzige Schlüssel bleibt als ${keptAs} erhalten.`,
    same: 'Diese Sicherung hat den Schlüssel, den dieser Knoten schon benutzt. Nichts zu tun.',
  },
}

/** The API keys of apps, in German. */
export const keysGerman = {
  title: 'API-Schlüssel',
  hint: (required: boolean) =>
    required
      ? 'Das Gateway ist für andere Computer offen, deshalb braucht jede App einen Schlüssel. Gib jeder ihren eigenen: Dann lässt sich einer widerrufen, ohne die anderen zu treffen.'
      : 'Das Gateway verlangt keinen Schlüssel. Eine App, die einen zeigt, wird im Verkehr unter ihrem Namen gezählt.',
  none: 'Noch keine API-Schlüssel.',
  noneHint: (required: boolean) =>
    required
      ? 'Keine App kann das Gateway benutzen, bis du einen erstellst.'
      : 'Du brauchst keinen, solange das Gateway auf localhost läuft.',
  column: {
    name: 'Name',
    id: 'Id',
    created: 'Erstellt',
    used: 'Zuletzt benutzt',
    today: 'Heute',
    sinceStart: 'Seit dem Start',
    revoke: 'Widerrufen',
  },
  never: 'nie',
  usage: (n: number, used: number) => `${requests(n)} · ${tokens(used)}`,
  add: {
    open: 'Neuer Schlüssel…',
    title: 'Neuer API-Schlüssel',
    name: 'Name',
    nameHelp: 'Für welche App oder welchen Computer er ist.',
    missing: 'Gib einen Namen ein.',
    do: 'Schlüssel erstellen',
    made: (name: string) => `Schlüssel von ${name}`,
    once: 'Kopiere ihn jetzt: Er wird nicht gespeichert und nicht noch einmal gezeigt. Apps nehmen ihn als ihren API-Schlüssel.',
    copy: 'Schlüssel kopieren',
    close: 'Fertig',
  },
  revoke: {
    open: 'Widerrufen…',
    label: (name: string) => `Den Schlüssel von ${name} widerrufen`,
    title: (name: string) => `Den Schlüssel von ${name} widerrufen?`,
    consequence:
      'Die App, die ihn benutzt, wird ab ihrer nächsten Anfrage abgewiesen. Das lässt sich nicht rückgängig machen.',
    do: 'Schlüssel widerrufen',
    done: (name: string) => `Der Schlüssel von ${name} ist widerrufen.`,
  },
}

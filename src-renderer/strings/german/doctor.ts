/** The doctor in German; what it found comes from the node, in English. */
export const doctorGerman = {
  title: 'Diagnose',
  peerHint:
    'Prüft jeden bekannten Weg zu diesem Peer und zeigt, wo er abbricht. Das dauert bis zu einer halben Minute.',
  run: 'Von außen prüfen',
  runPeer: 'Alle Wege prüfen',
  running: 'Alle Wege werden geprüft…',
  again: 'Erneut versuchen',
  asking: (asked: { done: number; total: number } | null) =>
    asked === null || asked.total < 2
      ? 'Peers wählen diesen Knoten an…'
      : `Peers wählen diesen Knoten an: Adresse ${asked.done + 1} von ${asked.total}…`,
  asked: 'Die Diagnose ist fertig: Sieh dir die Ergebnisse an.',
  noneAsked: (why: string) => `Von außen wurde nichts geprüft. ${why}`,
  neverAsked: 'Noch nicht von außen geprüft. Die Prüfung dauert bis zu 15 Sekunden.',
  lastAnswer: 'Zuletzt von außen geprüft',
  copy: 'Bericht kopieren',
  fix: 'Was zu tun ist',
  short: {
    reached: {
      title: 'Du bist erreichbar',
      ok: 'Andere erreichen diesen Computer.',
      warn: 'Auf Umwegen: Die Einzelheiten zeigen, auf welchen.',
      bad: 'Niemand erreicht diesen Computer.',
      unknown: 'Noch nicht geprüft.',
    },
    reaches: {
      title: 'Du erreichst andere',
      ok: 'Dieser Computer erreicht das Netz.',
      warn: 'Mit Schwierigkeiten: Die Einzelheiten zeigen, mit welchen.',
      bad: 'Dieser Computer kann gerade nicht teilnehmen.',
      unknown: 'Noch nicht bekannt.',
    },
    nothing: 'Nichts.',
    all: (n: number) => (n === 1 ? 'Die Prüfung' : `Alle ${n} Prüfungen`),
  },
  state: { ok: 'Gut', warn: 'Warnung', bad: 'Gestört', unknown: 'Nicht geprüft' },
  summary: (bad: number, warn: number) => {
    if (bad > 0) return bad === 1 ? 'Eine Sache ist gestört.' : `${bad} Sachen sind gestört.`
    return warn > 0 ? 'Es funktioniert, mit Warnungen.' : 'Alles in Ordnung.'
  },
}

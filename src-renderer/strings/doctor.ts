/** Words of the doctor: what decides whether peers can meet. */
export const doctorStrings = {
  title: 'Doctor',
  hint: 'Looks at everything that decides whether this node and its peers can meet. It takes some seconds.',
  peerHint: 'Tries every known way to this peer and tells where it breaks. It takes up to half a minute.',
  run: 'Run the doctor',
  runPeer: 'Try every way',
  running: 'Looking…',
  again: 'Look again',
  copy: 'Copy report',
  fix: 'What to do',
  state: { ok: 'Good', warn: 'Look at this', bad: 'Broken', unknown: 'Not known' },
  summary: (bad: number, warn: number) => {
    if (bad > 0) return bad === 1 ? 'One thing is broken.' : `${bad} things are broken.`
    return warn > 0 ? 'It works, with something to look at.' : 'Everything is fine.'
  },
}

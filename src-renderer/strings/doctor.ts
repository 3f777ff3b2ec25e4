/** Words of the doctor: what decides whether peers can meet. */
export const doctorStrings = {
  title: 'Doctor',
  peerHint: 'Tries every known way to this peer and tells where it breaks. It takes up to half a minute.',
  run: 'Ask peers to dial me',
  runPeer: 'Try every way',
  running: 'Trying every way…',
  again: 'Try again',
  asking: (asked: { done: number; total: number } | null) =>
    asked === null || asked.total < 2
      ? 'Peers are being asked to dial this node…'
      : `Peers are being asked to dial this node: address ${asked.done + 1} of ${asked.total}…`,
  asked: 'The doctor is done: see what it found.',
  neverAsked: 'No peer was asked to dial this node yet. That takes up to 15 seconds.',
  lastAnswer: 'A peer last tried to dial this node',
  copy: 'Copy report',
  fix: 'What to do',
  state: { ok: 'Good', warn: 'Look at this', bad: 'Broken', unknown: 'No verdict' },
  summary: (bad: number, warn: number) => {
    if (bad > 0) return bad === 1 ? 'One thing is broken.' : `${bad} things are broken.`
    return warn > 0 ? 'It works, with something to look at.' : 'Nothing is wrong.'
  },
}

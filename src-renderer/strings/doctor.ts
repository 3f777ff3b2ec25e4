/** Words of the doctor: what decides whether peers can meet. */
export const doctorStrings = {
  title: 'Doctor',
  peerHint: 'Tests every known route to this peer and shows where it breaks. This takes up to half a minute.',
  run: 'Test from outside',
  runPeer: 'Test all routes',
  running: 'Testing all routes…',
  again: 'Try again',
  asking: (asked: { done: number; total: number } | null) =>
    asked === null || asked.total < 2
      ? 'Peers are dialling this node…'
      : `Peers are dialling this node: address ${asked.done + 1} of ${asked.total}…`,
  asked: 'The doctor has finished: see its results.',
  noneAsked: (why: string) => `Nothing was tested from outside. ${why}`,
  neverAsked: 'Not tested from outside yet. The test takes up to 15 seconds.',
  lastAnswer: 'Last tested from outside',
  copy: 'Copy report',
  fix: 'What to do',
  short: {
    reached: {
      title: 'You can be reached',
      ok: 'Others can reach this computer.',
      warn: 'With a detour: see the details.',
      bad: 'No one can reach this computer.',
      unknown: 'Not tested yet.',
    },
    reaches: {
      title: 'You can reach others',
      ok: 'This computer can reach the network.',
      warn: 'With difficulties: see the details.',
      bad: 'This computer can’t take part right now.',
      unknown: 'Not known yet.',
    },
    nothing: 'Nothing.',
    all: (n: number) => (n === 1 ? 'The check' : `All ${n} checks`),
  },
  state: { ok: 'Good', warn: 'Warning', bad: 'Broken', unknown: 'Not checked' },
  summary: (bad: number, warn: number) => {
    if (bad > 0) return bad === 1 ? 'One thing is broken.' : `${bad} things are broken.`
    return warn > 0 ? 'It works, with warnings.' : 'Nothing is wrong.'
  },
}

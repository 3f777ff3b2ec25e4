import type { PairEnding } from '#shared/contract/people/pairing.js'
import { shortId } from '#shared/person-names.js'

/** What each ending means for the person, and what to do. */
const SENTENCES: Readonly<Record<PairEnding, string>> = {
  trusted: 'You and {name} trust each other now.',
  unsure:
    'You trust {name} now, but their node was lost before it could say the same. If you are not on their list, pair again.',
  refused: 'You did not confirm. Nothing was changed.',
  differ:
    'You said that the codes differ, so someone may be in between. Nothing was changed. Use a network you trust, or send an invite.',
  'they-refused': '{name} did not confirm. Nothing was changed.',
  'they-differ':
    'The codes differ on the other screen, so someone may be in between. Nothing was changed. Use a network you trust, or send an invite.',
  expired: 'No one confirmed in time. Nothing was changed. Pair again when you both sit at your screens.',
  mismatch:
    'The other node did not keep to what it had promised, so someone may be in between. Nothing was changed. Use a network you trust, or send an invite.',
  'broken-off': 'The connection to {name} was lost half-way. Nothing was changed here. Pair again.',
  unreachable: '{name} cannot be reached on this local network. Check that its program still runs, then pair again.',
  unsupported: '{name} runs a version that cannot pair. It needs an update, or you send an invite.',
  busy: '{name} is being asked too often. Wait ten minutes, or have {name} ask you.',
  off: '{name} does not want to be asked (its setting people.nearby). Have {name} ask you, or send an invite.',
  far: '{name} does not see this computer on its local network. Send an invite instead.',
  full: 'One of you trusts as many peers as it may. Remove one, then pair again.',
  'not-stored': 'One of your nodes could not save it. Nothing was changed. `ocf doctor` there says more.',
}

/** The sentence for an ending; `name` is what the peer is called, where it is trusted. */
export const pairSentence = (ending: PairEnding, name: string | undefined, peerId: string): string =>
  SENTENCES[ending].replaceAll('{name}', name ?? shortId(peerId))

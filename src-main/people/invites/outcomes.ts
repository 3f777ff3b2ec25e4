import type { InviteProblem, JoinOutcome } from '#shared/contract/people/invites.js'

/** What each outcome of joining means for the person, and what to do. */
const SENTENCES: Readonly<Record<JoinOutcome, string>> = {
  joined: 'You and {name} trust each other now.',
  'already-trusted': 'You and {name} trusted each other already; the invite was not used up.',
  'restart-needed': 'Restart this node: it then joins {name}’s network and accepts the invite.',
  'no-invite': 'There is no invite in this text. An invite is one line that begins with ocf1.',
  'cut-off': 'The end of this invite is missing. Copy the whole line, or ask for it again.',
  damaged: 'Characters of this invite are missing or changed. Copy it again, as text and not by hand.',
  several: 'There is more than one invite in this text. Paste one of them.',
  'newer-version': 'This invite was made by a newer version of this program. Update it, then try again.',
  'own-invite': 'This is an invite that you made yourself. Send it to the person you want to invite.',
  expired: 'This invite has expired. Ask {name} for a new one.',
  'other-network': 'This invite leads into another network than the one this node is in.',
  used: 'This invite has been used already. Ask {name} for a new one.',
  revoked: '{name} has revoked this invite.',
  refused: '{name}’s node does not know this invite. Ask for a new one.',
  busy: 'Too many attempts came from your network. Wait a minute, then try again.',
  unreachable: '{name}’s node cannot be reached. Try again when it is running.',
  unsupported: '{name}’s node runs a version without invites. It needs an update.',
  'broken-off': 'The connection was lost half-way. Try the same invite again.',
  'not-stored': '{name}’s node could not save it, and nothing has changed. Try the same invite again later.',
  full: 'One of you trusts as many peers as it may. Remove one, then try again.',
}

/** The sentence for an outcome; `name` is who invited, as it is to be shown. */
export const outcomeSentence = (outcome: JoinOutcome | InviteProblem, name: string): string =>
  SENTENCES[outcome].replace('{name}', name)

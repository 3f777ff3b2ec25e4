import type { InviteView } from '#shared/contract/people/invites.js'
import type { Nearby, Pairing } from '#shared/contract/people/pairing.js'
import type { Person } from '#shared/contract/people/people.js'
import type { ControlNeeds } from '../../src-main/api/index.js'

/** A peer id that is one. */
export const FRIEND = '12D3KooWGzBZZbLs1hJ2DL4J4yY2YVh9vH2cVYpPZ2UVsWjXGn3K'

const PERSON: Person = {
  ...{ peerId: FRIEND, label: 'Ann', givenName: null, ownName: 'Ann', trustedBy: 'accepted', revocable: true },
  ...{ trustedAtMs: 1_700_000_000_000, inviteId: null, connected: true, lastSeenMs: null },
}
const INVITE: InviteView = {
  ...{ id: 'a1b2c3d4', name: 'Tom', state: 'open', uses: 2, usesLeft: 1, usedBy: [FRIEND] },
  ...{ madeAtMs: 1_700_000_000_000, expiresAtMs: 1_700_600_000_000 },
}

/** A node of the local network that is a stranger. */
export const NEIGHBOUR = '12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba'

const NEARBY: Nearby = {
  ...{ peerId: NEIGHBOUR, name: null, address: '192.168.7.2', sinceMs: 1_700_000_000_000 },
  ...{ connected: true, trusted: false },
}
const PAIRING: Pairing = {
  ...{ peerId: NEIGHBOUR, name: null, address: '192.168.7.2', direction: 'outgoing', state: 'compare' },
  ...{ code: '123 456', theyConfirmed: false, sinceMs: 1_700_000_000_000, untilMs: 1_700_000_120_000 },
  ...{ ending: null, sentence: null },
}

/** One person, one invite; nothing that is done changes them. */
export function createFakePeople(): ControlNeeds['people'] {
  return {
    list: () => [PERSON],
    trust: () => Promise.resolve(PERSON),
    untrust: () => Promise.resolve({ untrusted: PERSON, openInviteId: null }),
    rename: () => Promise.resolve(PERSON),
    export: () => ({ fileName: 'people.json', text: '{}\n' }),
    ownName: () => ({ name: 'Me', isDefault: true, editable: true }),
    setOwnName: (name) => Promise.resolve({ name: name ?? 'Me', isDefault: name === null, editable: true }),
    invite: () => Promise.resolve({ invite: INVITE, text: 'ocf1', link: 'ocf://join/ocf1', reach: 'anywhere' }),
    invites: () => [INVITE],
    revokeInvite: () => Promise.resolve({ ...INVITE, state: 'revoked' }),
    readInvite: () => ({ invite: null, problem: 'cut-off', sentence: 'Its end is missing.', canSwitch: false }),
    join: () => Promise.resolve({ outcome: 'cut-off', sentence: 'Its end is missing.', peerId: null }),
    joining: () => null,
    pairing: {
      nearby: () => [NEARBY],
      list: () => [],
      pair: () => PAIRING,
      confirm: () => ({ ...PAIRING, state: 'waiting' }),
      refuse: () => Promise.resolve({ ...PAIRING, state: 'over', ending: 'refused', sentence: 'Nothing was changed.' }),
      onChanged: () => () => undefined,
    },
    subscribe: () => () => undefined,
  }
}

/** In the open network, with one source that was joined. */
export const FAKE_JOINING: ControlNeeds['joining'] = {
  view: () => ({
    ...{ privateName: null, nextPrivateName: null, known: null, canSwitch: true },
    joined: ['/ip4/192.0.2.7/tcp/43905'],
    choices: [{ name: 'opentela', title: 'OpenTela', kind: 'go', runBy: 'somebody', meaning: 'Strangers answer.' }],
  }),
  join: () =>
    Promise.resolve({ kind: 'unknown', state: 'failed', sentence: 'Nothing.', canSwitch: false, peerId: null }),
  create: (name) => Promise.resolve({ sentence: `${name} is founded.`, restartNeeded: true }),
  key: () => 'ocf-net1',
  leave: () => Promise.resolve({ sentence: 'Left.', restartNeeded: false }),
}

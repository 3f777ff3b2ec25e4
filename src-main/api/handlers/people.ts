import type { InviteView, Joining } from '#shared/contract/people/invites.js'
import type { Nearby, Pairing } from '#shared/contract/people/pairing.js'
import type { Person } from '#shared/contract/people/people.js'
import type { IdentityKeeper } from '../../p2p/index.js'
import type { People } from '../../people/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'
import type { ConnectionsSource } from './peers.js'

/** What the topics of people and invites read and change. */
export interface PeopleHandlersNeeds {
  people: Omit<People, 'name' | 'start' | 'stop' | 'isTrusted' | 'onTrustChanged' | 'backedUp' | 'network'>
  connections: Pick<ConnectionsSource, 'subscribe'>
}

/** `people.*`. */
export function createPeopleHandlers({
  people,
}: PeopleHandlersNeeds): Pick<Handlers, Extract<keyof Handlers, `people.${string}`>> {
  return {
    'people.list': () => people.list(),
    'people.trust': async ({ peer, name }) => ({ person: await people.trust(peer, { name }) }),
    'people.untrust': ({ peer }) => people.untrust(peer),
    'people.rename': async ({ peer, name }) => ({ person: await people.rename(peer, name) }),
    'people.export': () => people.export(),
    'people.ownName': () => people.ownName(),
    'people.setOwnName': ({ name }) => people.setOwnName(name),
    'people.invite': (options) => people.invite(options),
    'people.invites': () => people.invites(),
    'people.revokeInvite': async ({ id }) => ({ revoked: await people.revokeInvite(id) }),
    'people.readInvite': ({ text }) => people.readInvite(text),
    'people.join': ({ text, switchNetwork }) => people.join(text, { switchNetwork }),
    'people.nearby': () => people.pairing.nearby(),
    'people.pair': ({ peer }) => people.pairing.pair(peer),
    'people.pairings': () => people.pairing.list(),
    'people.confirmPairing': ({ peer, code }) => people.pairing.confirm(peer, code),
    'people.refusePairing': ({ peer, differ }) => people.pairing.refuse(peer, { differ }),
  }
}

/** The feeds of people, of invites, of joining and of pairing. */
export function createPeopleFeeds({ people, connections }: PeopleHandlersNeeds): {
  people: FeedSource<Person[]>
  invites: FeedSource<InviteView[]>
  joining: FeedSource<Joining | null>
  nearby: FeedSource<Nearby[]>
  pairings: FeedSource<Pairing[]>
} {
  const { pairing } = people
  return {
    people: {
      snapshot: () => people.list(),
      // Who is connected is told, too.
      subscribe(listener) {
        const stops = [people.subscribe(listener), connections.subscribe(listener)]
        return () => stops.forEach((stop) => stop())
      },
    },
    invites: { snapshot: () => people.invites(), subscribe: (listener) => people.subscribe(listener) },
    joining: { snapshot: () => people.joining(), subscribe: (listener) => people.subscribe(listener) },
    nearby: { snapshot: () => pairing.nearby(), subscribe: (listener) => pairing.onChanged(listener) },
    pairings: { snapshot: () => pairing.list(), subscribe: (listener) => pairing.onChanged(listener) },
  }
}

/** What the identity topic reads and changes. */
export interface IdentityNeeds {
  identity: IdentityKeeper
}

/** `identity.*`. */
export function createIdentityHandlers({
  identity,
}: IdentityNeeds): Pick<Handlers, 'identity.get' | 'identity.backup' | 'identity.inspect' | 'identity.restore'> {
  return {
    'identity.get': () => identity.view(),
    'identity.backup': ({ passphrase }) => identity.backup(passphrase),
    'identity.inspect': ({ text }) => identity.inspect(text),
    'identity.restore': ({ text, passphrase }) => identity.restore(text, passphrase),
  }
}

import type { InviteView } from '#shared/contract/people/invites.js'
import type { Person } from '#shared/contract/people/people.js'
import { skeletonOf } from '#shared/model-names.js'
import { shortId } from '#shared/person-names.js'
import { inviteState, type KeptInvite, type KeptPerson } from './kept.js'

/** People as they are shown, by label. Who would be called as another is, or alike, has a part of the peer id in its label. */
export function personViews(
  people: readonly KeptPerson[],
  facts: { isConnected: (peerId: string) => boolean; isInSettings: (peerId: string) => boolean; nowMs: number },
): Person[] {
  const called = Map.groupBy(people, (person) => skeletonOf(nameOf(person)))
  return people
    .map((person): Person => {
      const { peerId, trustedBy, givenName, ownName, inviteId, trustedAtMs } = person
      const name = nameOf(person)
      const isShared = (called.get(skeletonOf(name))?.length ?? 0) > 1
      const connected = facts.isConnected(peerId)
      return {
        peerId,
        label: name === '' ? shortId(peerId) : isShared ? `${name} ${shortId(peerId)}` : name,
        givenName: givenName ?? null,
        ownName: ownName ?? null,
        trustedBy,
        revocable: !facts.isInSettings(peerId),
        trustedAtMs: trustedBy === 'settings' ? null : trustedAtMs,
        inviteId: inviteId ?? null,
        connected,
        // Rounded, so that a list that is followed does not change all the time.
        lastSeenMs: connected ? Math.floor(facts.nowMs / MINUTE_MS) * MINUTE_MS : (person.lastSeenMs ?? null),
      }
    })
    .sort((a, b) => a.label.localeCompare(b.label) || (a.peerId < b.peerId ? -1 : 1))
}

const MINUTE_MS = 60_000

const nameOf = ({ givenName, ownName }: KeptPerson): string => givenName ?? ownName ?? ''

/** An invite as it is shown; its key is not. */
export function inviteView(invite: KeptInvite, nowMs: number): InviteView {
  const { id, name, uses, usesLeft, madeAtMs, expiresAtMs, usedBy } = invite
  return { id, name: name ?? null, state: inviteState(invite, nowMs), uses, usesLeft, madeAtMs, expiresAtMs, usedBy }
}

import { AppError } from '#shared/errors.js'
import { cleanName } from '#shared/person-names.js'
import type { Clock } from '../base/clock.js'
import { Listeners } from '../base/listeners.js'
import type { Log } from '../logging/index.js'
import {
  definedOf,
  fromSettings,
  type Guest,
  guestOf,
  inviteState,
  joined,
  type KeptInvite,
  type KeptPerson,
  type NewPerson,
  peopleIn,
  type PendingJoin,
  TRUST_LIMITS,
  type TrustContent,
} from './kept.js'
import { TrustFile } from './trust-file.js'
import type { TrustedPeers } from './index.js'

/** What the inviter decides about a guest that knows the secret. `refused`: it was trusted by this invite and is no more. */
export type Redeemed = 'accepted' | 'already' | 'used' | 'expired' | 'revoked' | 'refused' | 'full'

/**
 * Whom the owner trusts, and the invites of this node. What opens something is stored before it counts; what closes
 * something counts before it is stored.
 */
export class TrustStore implements TrustedPeers {
  readonly #file: TrustFile
  readonly #clock: Clock
  readonly #log: Log
  readonly #inSettings: () => readonly string[]
  readonly #people = new Map<string, KeptPerson>()
  readonly #invites = new Map<string, KeptInvite>()
  #pending: PendingJoin | undefined
  readonly #trustListeners = new Listeners<[string]>()
  readonly #listeners = new Listeners()

  /** `inSettings`: the setting `trusted-peers` as it is now. */
  constructor(needs: { clock: Clock; log: Log; inSettings: () => readonly string[] }, options: { file: string }) {
    this.#file = new TrustFile(needs, options)
    this.#clock = needs.clock
    this.#log = needs.log
    this.#inSettings = needs.inSettings
  }

  async load(): Promise<void> {
    const { people, invites, pending } = await this.#file.read()
    for (const person of people) this.#people.set(person.peerId, person)
    for (const invite of invites) this.#invites.set(invite.id, invite)
    this.#pending = pending
  }

  /** Writes what was only noted. */
  close(): Promise<void> {
    return this.#file.settle()
  }

  isTrusted(peerId: string): boolean {
    const kept = this.#people.get(peerId)
    return (kept !== undefined && kept.trustedBy !== 'settings') || this.#inSettings().includes(peerId)
  }

  onTrustChanged(listener: (peerId: string) => void): () => void {
    return this.#trustListeners.add(listener)
  }

  /** Calls `listener` after each change of people or invites; returns the way to stop. */
  onChanged(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** The settings name others now. */
  settingsChanged(before: readonly string[]): void {
    const now = this.#inSettings()
    const kept = (peerId: string): boolean => (this.#people.get(peerId)?.trustedBy ?? 'settings') !== 'settings'
    const changed = [...before.filter((id) => !now.includes(id)), ...now.filter((id) => !before.includes(id))]
    for (const peerId of new Set(changed)) if (!kept(peerId)) this.#trustListeners.notify(peerId)
    this.#listeners.notify()
  }

  /** Everybody who is trusted, by the store or by the settings alone. */
  people(): KeptPerson[] {
    const named = this.#inSettings()
    const kept = [...this.#people.values()].filter(
      ({ peerId, trustedBy }) => trustedBy !== 'settings' || named.includes(peerId),
    )
    const others = named.filter((peerId) => !this.#people.has(peerId))
    return [...kept, ...others.map(fromSettings)]
  }

  /** One of {@link TrustStore.people}. */
  person(peerId: string): KeptPerson | undefined {
    if (!this.isTrusted(peerId)) return undefined
    return this.#people.get(peerId) ?? fromSettings(peerId)
  }

  isInSettings(peerId: string): boolean {
    return this.#inSettings().includes(peerId)
  }

  invites(): KeptInvite[] {
    return [...this.#invites.values()]
  }

  invite(id: string): KeptInvite | undefined {
    return this.#invites.get(id)
  }

  /** No further person has room. */
  get isFull(): boolean {
    return this.#people.size >= TRUST_LIMITS.people
  }

  get pending(): PendingJoin | undefined {
    return this.#pending
  }

  /** Who is trusted already stays so as before, with what is new. @throws AppError `invalid_request`, `data_dir_unusable` */
  trust(person: NewPerson): Promise<KeptPerson> {
    return this.#file.inTurn(async () => {
      const { peerId } = person
      const before = this.#people.get(peerId)
      if (before === undefined && this.isFull) {
        throw new AppError(
          'invalid_request',
          `This node trusts ${TRUST_LIMITS.people} peers already. Remove one first.`,
        )
      }
      const wasTrusted = this.isTrusted(peerId)
      await this.#write({ people: this.#with(joined(before, person, this.#clock.now())) }, 'It is not trusted')
      const next = joined(this.#people.get(peerId), person, this.#clock.now())
      this.#people.set(peerId, next)
      if (!wasTrusted) {
        this.#log.info('a peer is trusted', { peerId, by: next.trustedBy })
        this.#trustListeners.notify(peerId)
      }
      this.#listeners.notify()
      return next
    })
  }

  /** People as they are backed up: with the two addresses that are most likely to be right. */
  backup(): KeptPerson[] {
    const kept = [...this.#people.values()].filter(({ trustedBy }) => trustedBy !== 'settings')
    return kept.map((person) => ({ ...person, addresses: person.addresses.slice(0, 2) }))
  }

  /** Trusts those of a backup that are not trusted now, as far as there is room; how many. @throws AppError `data_dir_unusable` */
  restore(text: string): Promise<number> {
    return this.#file.inTurn(async () => {
      const room = TRUST_LIMITS.people - this.#people.size
      const missing = peopleIn(text).filter(({ peerId }) => !this.isTrusted(peerId))
      const people = missing.slice(0, room)
      await this.#write({ people: [...this.#people.values(), ...people] }, 'The backup was not restored')
      for (const person of people) {
        this.#people.set(person.peerId, person)
        this.#trustListeners.notify(person.peerId)
      }
      this.#listeners.notify()
      return people.length
    })
  }

  /** @throws AppError `not_found`; `data_dir_unusable` where it would be trusted again after a restart */
  async untrust(peerId: string): Promise<KeptPerson> {
    const person = this.#people.get(peerId)
    if (person === undefined || person.trustedBy === 'settings') throw notTrusted()
    this.#people.delete(peerId)
    this.#log.info('a peer is no longer trusted', { peerId })
    this.#trustListeners.notify(peerId)
    this.#listeners.notify()
    await this.#file.inTurn(() => this.#write({}, 'It is not trusted now, but it is again after a restart'))
    return person
  }

  /** An empty name takes it away. @throws AppError `not_found`, `data_dir_unusable` */
  rename(peerId: string, name: string): Promise<KeptPerson> {
    const given = cleanName(name)
    const named = ({ givenName: _, ...rest }: KeptPerson): KeptPerson =>
      given === '' ? rest : { ...rest, givenName: given }
    return this.#file.inTurn(async () => {
      const person = this.person(peerId)
      if (person === undefined) throw notTrusted()
      await this.#write({ people: this.#with(named(person)) }, 'The name stays as it was')
      const next = named(this.person(peerId) ?? person)
      // It may have been removed while this was written.
      if (this.isTrusted(peerId)) this.#people.set(peerId, next)
      this.#listeners.notify()
      return next
    })
  }

  /** @throws AppError `invalid_request` for one too many, `data_dir_unusable` */
  addInvite(invite: KeptInvite): Promise<KeptInvite> {
    return this.#file.inTurn(async () => {
      const nowMs = this.#clock.now()
      const ended = [...this.#invites.values()].filter((each) => inviteState(each, nowMs) !== 'open')
      if (this.#invites.size - ended.length >= TRUST_LIMITS.invites) {
        throw new AppError('invalid_request', `There are ${TRUST_LIMITS.invites} open invites. Revoke one first.`)
      }
      for (const { id } of ended.slice(0, -TRUST_LIMITS.endedInvites)) this.#invites.delete(id)
      await this.#write({ invites: [...this.#invites.values(), invite] }, 'No invite was made')
      this.#invites.set(invite.id, invite)
      this.#listeners.notify()
      return invite
    })
  }

  /** @throws AppError `not_found`; `data_dir_unusable` where it would be open again after a restart */
  async revokeInvite(id: string): Promise<KeptInvite> {
    const invite = this.#invites.get(id)
    if (invite === undefined) throw new AppError('not_found', 'There is no such invite.', { param: 'id' })
    const revoked = { ...invite, revokedAtMs: invite.revokedAtMs ?? this.#clock.now() }
    this.#invites.set(id, revoked)
    this.#listeners.notify()
    await this.#file.inTurn(() => this.#write({}, 'The invite is refused now, but it is open again after a restart'))
    return revoked
  }

  /**
   * A guest proved that it knows that invite: it is trusted once this says so, and the invite has one use less. The same
   * guest may come again, as the answer may have been lost; one that was removed may not.
   * @throws AppError `data_dir_unusable`
   */
  redeem(id: string, guest: Guest): Promise<Redeemed> {
    return this.#file.inTurn(async () => {
      const invite = this.#invites.get(id)
      if (invite === undefined) return 'refused'
      if (this.isTrusted(guest.peerId)) return 'already'
      if (invite.usedBy.includes(guest.peerId)) return 'refused'
      const state = inviteState(invite, this.#clock.now())
      if (state !== 'open') return state
      if (this.isFull) return 'full'
      const used = { ...invite, usesLeft: invite.usesLeft - 1, usedBy: [...invite.usedBy, guest.peerId] }
      const nowMs = this.#clock.now()
      const person = joined(this.#people.get(guest.peerId), guestOf(invite, guest), nowMs)
      const invites = [...this.#invites.values()].map((each) => (each === invite ? used : each))
      await this.#write({ people: this.#with(person), invites }, 'The guest is not trusted')
      // It may have been revoked while this was written.
      this.#invites.set(id, { ...used, ...definedOf({ revokedAtMs: this.#invites.get(id)?.revokedAtMs }) })
      this.#people.set(person.peerId, person)
      this.#log.info('a peer came with an invite and is trusted', { peerId: person.peerId, invite: id })
      this.#trustListeners.notify(person.peerId)
      this.#listeners.notify()
      return 'accepted'
    })
  }

  /** @throws AppError `data_dir_unusable` */
  setPending(pending: PendingJoin | undefined): Promise<void> {
    return this.#file.inTurn(async () => {
      await this.#write({ pending }, 'The invite was not kept')
      this.#pending = pending
    })
  }

  /** Notes something about a person; it is written within a minute, or when this node stops. */
  note(peerId: string, change: Partial<Pick<KeptPerson, 'ownName' | 'addresses' | 'lastSeenMs'>>): void {
    const person = this.person(peerId)
    if (person === undefined || (this.isFull && !this.#people.has(peerId))) return
    this.#people.set(peerId, { ...person, ...change })
    this.#file.writeLater(() => this.#content({}))
    this.#listeners.notify()
  }

  #write(change: Partial<TrustContent>, otherwise: string): Promise<void> {
    return this.#file.write(this.#content(change), otherwise)
  }

  /** Without those of whom only settings of before knew. */
  #content(change: Partial<TrustContent>): TrustContent {
    const [people, invites] = [[...this.#people.values()], [...this.#invites.values()]]
    const content = { people, invites, pending: this.#pending, ...change }
    const named = this.#inSettings()
    const isKept = ({ peerId, trustedBy }: KeptPerson): boolean => trustedBy !== 'settings' || named.includes(peerId)
    return { ...content, people: content.people.filter(isKept) }
  }

  #with(person: KeptPerson): KeptPerson[] {
    return [...[...this.#people.values()].filter(({ peerId }) => peerId !== person.peerId), person]
  }
}

const notTrusted = (): AppError =>
  new AppError('not_found', 'This peer is not among those you trust.', { param: 'peer' })

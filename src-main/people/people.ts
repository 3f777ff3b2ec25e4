import { randomBytes } from 'node:crypto'
import type { InviteView, Joining, ReadInvite } from '#shared/contract/people/invites.js'
import type { OwnName, Person } from '#shared/contract/people/people.js'
import { AppError } from '#shared/errors.js'
import { cleanName } from '#shared/person-names.js'
import type { Log } from '../logging/index.js'
import { assertPeerId, type BackedUpPeople } from '../p2p/index.js'
import { inviteAddresses } from './invites/addresses.js'
import { type Joined, Joiner } from './invites/joiner.js'
import { hashesOf } from './invites/message.js'
import { NetworkKey } from './invites/network-key.js'
import { InviteResponder } from './invites/responder.js'
import { inviteLink, SECRET_BYTES, writeInvite } from './invites/text.js'
import { inviteState, type KeptInvite } from './kept.js'
import { NameExchange } from './name-exchange.js'
import { OwnNameSetting } from './own-name.js'
import { Pairings } from './pairing/pairings.js'
import { inviteView, personViews } from './person-views.js'
import { StayConnected } from './stay-connected.js'
import { TrustStore } from './trust-store.js'
import type { NewInvite, People, PeopleNeeds, PeopleOptions } from './index.js'

/** Keeps them in `options.file`; to be started behind the host and before whatever asks who is trusted. */
export function createPeople(needs: PeopleNeeds, options: PeopleOptions): People {
  return new KeptPeople(needs, options)
}

class KeptPeople implements People {
  readonly name = 'people'
  readonly #needs: PeopleNeeds
  readonly #log: Log
  readonly #store: TrustStore
  readonly #ownName: OwnNameSetting
  readonly network: NetworkKey
  readonly #responder: InviteResponder
  readonly #names: NameExchange
  readonly #connections: StayConnected
  readonly #joiner: Joiner
  readonly pairing: Pairings
  readonly backedUp: BackedUpPeople = {
    backup: () => JSON.stringify({ people: this.#store.backup() }),
    restore: (text) => this.#store.restore(text),
  }
  #stops: (() => void)[] = []

  constructor(needs: PeopleNeeds, options: PeopleOptions) {
    const { host, live, clock, monotonic } = needs
    const log = needs.log.forComponent('people')
    this.#needs = needs
    this.#log = log
    this.#store = new TrustStore(
      { clock, log, inSettings: () => live.current['trusted-peers'] },
      { file: options.file },
    )
    const store = this.#store
    this.#ownName = new OwnNameSetting(live)
    this.network = new NetworkKey(live, { dataDir: options.dataDir })
    const ownName = (): string => this.#ownName.current.name
    this.#responder = new InviteResponder({ host, store, ownName, monotonic, log })
    this.#names = new NameExchange({ host, store, ownName, monotonic, log })
    this.#connections = new StayConnected(
      { host, store, clock, monotonic, log, onMet: (connection) => void this.#names.tell(connection) },
      { dials: live.current.mode === 'node' },
    )
    this.#joiner = new Joiner({
      ...{ host, store, network: this.network, ownName, clock, log },
      reachWithinMs: options.reachWithinMs,
    })
    this.pairing = new Pairings(
      { ...{ host, store, ownName, clock, monotonic, log }, isAsked: () => live.current['people.nearby'] },
      { personMs: options.pairWithinMs },
    )
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { live } = this.#needs
    await this.#store.load()
    await this.network.load()
    await this.#responder.start()
    await this.#names.start()
    this.#connections.start()
    this.#joiner.start()
    await this.pairing.start()
    let named = [...live.current['trusted-peers']]
    this.#stops = [
      live.subscribe((setting) => {
        if (setting === 'name') this.#tellAll()
        if (setting !== 'trusted-peers') return
        this.#store.settingsChanged(named)
        named = [...live.current['trusted-peers']]
      }),
    ]
  }

  async stop(): Promise<void> {
    if (this.#stops.length === 0) return
    for (const stop of this.#stops.splice(0)) stop()
    await this.pairing.stop()
    await this.#joiner.stop()
    await this.#connections.stop()
    await this.#names.stop()
    await this.#responder.stop()
    await this.#store.close()
  }

  isTrusted(peerId: string): boolean {
    return this.#store.isTrusted(peerId)
  }

  onTrustChanged(listener: (peerId: string) => void): () => void {
    return this.#store.onTrustChanged(listener)
  }

  subscribe(listener: () => void): () => void {
    const stops = [this.#store.onChanged(listener), this.#joiner.onChanged(listener)]
    return () => stops.forEach((stop) => stop())
  }

  list(): Person[] {
    const { host, clock } = this.#needs
    return personViews(this.#store.people(), {
      isConnected: (peerId) => host.isConnected(peerId),
      isInSettings: (peerId) => this.#store.isInSettings(peerId),
      nowMs: clock.now(),
    })
  }

  async trust(peerId: string, { by = 'hand', name, ownName }: Parameters<People['trust']>[1] = {}): Promise<Person> {
    assertPeerId(peerId)
    if (peerId === this.#needs.host.peerId) {
      throw new AppError('invalid_request', 'This is the peer id of this node itself.', { param: 'peer' })
    }
    const [givenName, calledItself] = [name, ownName].map((text) => cleanName(text ?? '') || undefined)
    await this.#store.trust({ peerId, trustedBy: by, givenName, ownName: calledItself })
    return this.#viewOf(peerId)
  }

  async untrust(peerId: string): Promise<{ untrusted: Person; openInviteId: string | null }> {
    if (this.#store.isInSettings(peerId)) {
      throw new AppError(
        'invalid_request',
        'This peer stands in the setting trusted-peers. Take it out there: it is trusted until then.',
        { param: 'peer' },
      )
    }
    const before = this.list().find((person) => person.peerId === peerId)
    const { inviteId } = await this.#store.untrust(peerId)
    if (before === undefined) throw new AppError('not_found', 'This peer is not among those you trust.')
    const invite = inviteId === undefined ? undefined : this.#store.invite(inviteId)
    const isOpen = invite !== undefined && inviteState(invite, this.#needs.clock.now()) === 'open'
    return { untrusted: before, openInviteId: isOpen ? invite.id : null }
  }

  async rename(peerId: string, name: string): Promise<Person> {
    await this.#store.rename(peerId, name)
    return this.#viewOf(peerId)
  }

  export(): { fileName: string; text: string } {
    const { host, clock } = this.#needs
    const people = this.#store.people().map(({ addresses: _, ...person }) => person)
    const day = new Date(clock.now()).toISOString().slice(0, 10)
    const content = { format: 'ocf-people', version: 1, peerId: host.peerId, madeAtMs: clock.now(), people }
    return {
      fileName: `ocf-people-${host.peerId.slice(-8)}-${day}.json`,
      text: `${JSON.stringify(content, null, 2)}\n`,
    }
  }

  ownName(): OwnName {
    return this.#ownName.current
  }

  setOwnName(name: string | null): Promise<OwnName> {
    return this.#ownName.set(name)
  }

  async invite({ name, uses, forMs }: Parameters<People['invite']>[0]): Promise<NewInvite> {
    const { host, clock } = this.#needs
    const secret = randomBytes(SECRET_BYTES)
    const { addresses, reach } = inviteAddresses(host.multiaddrs(), host.peerId)
    const madeAtMs = clock.now()
    // Whole seconds: that is what the text says.
    const expiresAtMs = Math.floor((madeAtMs + forMs) / 1000) * 1000
    const forWhom = cleanName(name ?? '')
    const kept: KeptInvite = {
      ...hashesOf(secret),
      ...(forWhom === '' ? {} : { name: forWhom }),
      ...{ uses, usesLeft: uses, madeAtMs, expiresAtMs, usedBy: [] },
    }
    const text = writeInvite({
      ...{ inviter: host.peerId, name: this.ownName().name, secret, expiresAtMs, addresses },
      ...{ networkKey: this.network.key, networkName: this.network.name },
    })
    await this.#store.addInvite(kept)
    this.#log.info('an invite was made', { invite: kept.id, uses, expiresAtMs })
    return { invite: inviteView(kept, madeAtMs), text, link: inviteLink(text), reach }
  }

  invites(): InviteView[] {
    const nowMs = this.#needs.clock.now()
    return this.#store
      .invites()
      .map((invite) => inviteView(invite, nowMs))
      .sort((a, b) => b.madeAtMs - a.madeAtMs)
  }

  async revokeInvite(id: string): Promise<InviteView> {
    const found = this.#store
      .invites()
      .filter((invite) => invite.id === id || (id.length >= 6 && invite.id.startsWith(id)))
    const [invite] = found
    if (invite === undefined || found.length > 1) {
      throw new AppError('not_found', `There is no invite ${id}.`, { param: 'id' })
    }
    return inviteView(await this.#store.revokeInvite(invite.id), this.#needs.clock.now())
  }

  readInvite(text: string): ReadInvite {
    return this.#joiner.read(text)
  }

  join(text: string, options: { switchNetwork: boolean }): Promise<Joined> {
    return this.#joiner.join(text, options)
  }

  joining(): Joining | null {
    return this.#joiner.joining
  }

  #viewOf(peerId: string): Person {
    const found = this.list().find((person) => person.peerId === peerId)
    if (found === undefined) throw new AppError('not_found', 'This peer is not among those you trust.')
    return found
  }

  #tellAll(): void {
    const { host } = this.#needs
    for (const { peerId } of this.#store.people()) {
      const [connection] = host.connectionsTo(peerId)
      if (connection !== undefined) void this.#names.tell(connection)
    }
  }
}

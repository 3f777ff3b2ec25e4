import type { InviteView, Joining, ReadInvite } from '#shared/contract/people/invites.js'
import type { OwnName, Person } from '#shared/contract/people/people.js'
import type { Clock, MonotonicClock } from '../base/clock.js'
import type { Service } from '../base/lifecycle.js'
import type { LiveSettings } from '../config/index.js'
import type { Log } from '../logging/index.js'
import type { BackedUpPeople, Host } from '../p2p/index.js'
import type { InviteReach } from './invites/addresses.js'
import type { Joined } from './invites/joiner.js'
import type { NetworkKey } from './invites/network-key.js'
import type { Pairings } from './pairing/pairings.js'

/** Says which peers the owner of this node trusts: those in the settings and those that came with an invite, a code or by hand. */
export interface TrustedPeers {
  isTrusted(peerId: string): boolean
  /** Calls `listener` with each peer right after it became trusted or stopped being so; returns the way to stop. */
  onTrustChanged(listener: (peerId: string) => void): () => void
}

/** An invite that was just made: its text is shown this once. */
export interface NewInvite {
  invite: InviteView
  text: string
  link: string
  reach: InviteReach
}

/** The people the owner trusts, and the invites that make more of them. */
export interface People extends TrustedPeers, Service {
  /** Everybody who is trusted, by label. */
  list(): Person[]
  /**
   * Trusts a peer; one that is trusted already only gets what is new.
   * @throws AppError `invalid_peer_id`, `invalid_request` (this node itself, or one too many), `data_dir_unusable`
   */
  trust(
    peerId: string,
    options?: { by?: 'hand' | 'code'; name?: string | undefined; ownName?: string },
  ): Promise<Person>
  /** @throws AppError `not_found`, `invalid_request` for one in the settings, `data_dir_unusable` */
  untrust(peerId: string): Promise<{ untrusted: Person; openInviteId: string | null }>
  /** @throws AppError `not_found`, `data_dir_unusable` */
  rename(peerId: string, name: string): Promise<Person>
  /** The people as they are kept in a backup of the identity. */
  readonly backedUp: BackedUpPeople
  /** The people as the text of a JSON file. */
  export(): { fileName: string; text: string }
  ownName(): OwnName
  /** Null goes back to the default. @throws AppError `invalid_settings` */
  setOwnName(name: string | null): Promise<OwnName>
  /** `forMs`: how long it may be used. @throws AppError `invalid_request` for one too many, `data_dir_unusable` */
  invite(options: { name?: string | undefined; uses: number; forMs: number }): Promise<NewInvite>
  /** The newest first. */
  invites(): InviteView[]
  /** By its id or the beginning of it. @throws AppError `not_found`, `data_dir_unusable` */
  revokeInvite(id: string): Promise<InviteView>
  /** Which network this node runs in. */
  readonly network: NetworkKey
  /** What a pasted text says; nobody is asked. */
  readInvite(text: string): ReadInvite
  /** @throws AppError `rate_limited`, `data_dir_unusable` */
  join(text: string, options: { switchNetwork: boolean }): Promise<Joined>
  /** The invite that is being accepted. */
  joining(): Joining | null
  /** Pairing with nodes of the local network. */
  readonly pairing: Pick<Pairings, 'nearby' | 'list' | 'pair' | 'confirm' | 'refuse' | 'onChanged'>
  /** Calls `listener` after each change of people, invites or joining; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

/** What people are known by. */
export interface PeopleNeeds {
  host: Host
  live: LiveSettings
  clock: Clock
  monotonic: MonotonicClock
  log: Log
}

/** Where they are kept. */
export interface PeopleOptions {
  /** `trust.json` */
  file: string
  dataDir: string
  /** How long (ms) persons have to compare codes, where a test cannot wait. */
  pairWithinMs?: number | undefined
  /** How long an inviter may be out of reach (ms); 20 s unless a test says so. */
  reachWithinMs?: number | undefined
}

export { readNetworkKey, writeNetworkKey } from './invites/network-key.js'
export { createPeople } from './people.js'

import type { Connection } from '@libp2p/interface'
import type { InviteProblem, Joining, JoinOutcome, ReadInvite } from '#shared/contract/people/invites.js'
import { AppError } from '#shared/errors.js'
import { shortId } from '#shared/person-names.js'
import type { Clock } from '../../base/clock.js'
import { systemSleepingClock as sleeper } from '../../base/clock.js'
import { Listeners } from '../../base/listeners.js'
import type { Log } from '../../logging/index.js'
import { createConnector, hostOf, type Host, scopeOf } from '../../p2p/index.js'
import type { KeptAddress } from '../kept.js'
import { offerAddresses } from '../stay-connected.js'
import type { TrustStore } from '../trust-store.js'
import { type GuestResult, presentInvite } from './guest.js'
import type { Answer } from './message.js'
import type { NetworkKey } from './network-key.js'
import { outcomeSentence } from './outcomes.js'
import { type Invite, readInvite } from './text.js'

/** What came of an invite; `peerId` is who invited. */
export interface Joined {
  outcome: JoinOutcome
  sentence: string
  peerId: string | null
}

/** What accepting invites stands on. */
export interface JoinerNeeds {
  host: Host
  store: Pick<TrustStore, 'isTrusted' | 'isFull' | 'person' | 'trust' | 'pending' | 'setPending'>
  network: NetworkKey
  ownName: () => string
  clock: Clock
  log: Log
  /** How long an inviter may be out of reach (ms); 20 s unless a test says so. */
  reachWithinMs?: number | undefined
}

/** How long the inviter may be out of reach, as after a dial that a slow relay did not answer in time. */
const REACH_WITHIN_MS = 20_000
const REACH_AGAIN_AFTER_MS = 1_000
/** How often a connection may break off. */
const MAX_ATTEMPTS = 3
/** An invite that waits for its network is tried again after that, twice as long each time. */
const FIRST_RETRY_MS = 5_000
const MAX_RETRY_MS = 10 * 60_000

/** After these the same invite may work later. */
const MAY_COME: ReadonlySet<JoinOutcome> = new Set(['busy', 'unreachable', 'broken-off', 'not-stored'])

const OUTCOMES: Readonly<Record<Exclude<Answer, 'accepted' | 'already'>, JoinOutcome>> = {
  ...{ used: 'used', expired: 'expired', revoked: 'revoked', full: 'full' },
  ...{ failed: 'not-stored', refused: 'refused', busy: 'busy' },
}

/** Accepts invites of others. */
export class Joiner {
  readonly #needs: JoinerNeeds
  readonly #connector: ReturnType<typeof createConnector>
  readonly #listeners = new Listeners()
  #joining: Joining | null = null
  #stopped = new AbortController()
  #resuming: Promise<void> | undefined

  constructor(needs: JoinerNeeds) {
    this.#needs = needs
    this.#connector = createConnector({ libp2p: () => needs.host.libp2p, liveness: () => needs.host.liveness })
  }

  /** The invite that is being accepted. */
  get joining(): Joining | null {
    return this.#joining
  }

  /** Calls `listener` after each change of {@link Joiner.joining}; returns the way to stop. */
  onChanged(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Takes up an invite that waited for a restart. */
  start(): void {
    this.#stopped = new AbortController()
    const { pending } = this.#needs.store
    if (pending !== undefined) this.#resuming = this.#resume(pending.text)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#resuming
  }

  /** What a pasted text says; nobody is asked. */
  read(text: string): ReadInvite {
    const read = readInvite(text)
    if ('problem' in read) return { ...noInvite, problem: read.problem, sentence: outcomeSentence(read.problem, '') }
    const { invite } = read
    const problem = this.#problemOf(invite)
    return {
      invite: {
        inviter: invite.inviter,
        name: invite.name || null,
        network: invite.networkKey === undefined ? 'public' : 'private',
        expiresAtMs: invite.expiresAtMs,
        trusted: this.#needs.store.isTrusted(invite.inviter),
      },
      problem: problem ?? null,
      sentence: problem === undefined ? null : outcomeSentence(problem, nameOf(invite)),
      canSwitch: problem === 'other-network' && this.#needs.network.canSwitch,
    }
  }

  /**
   * Accepts an invite; never takes longer than half a minute.
   * @throws AppError `rate_limited` while another one is being accepted, `data_dir_unusable` where trust can't be stored
   */
  async join(text: string, options: { switchNetwork: boolean }): Promise<Joined> {
    const read = readInvite(text)
    if ('problem' in read) return { outcome: read.problem, sentence: outcomeSentence(read.problem, ''), peerId: null }
    const { invite } = read
    const outcome = await this.#outcomeOf(invite, read.text, options.switchNetwork)
    this.#needs.log.info('an invite was to be accepted', { inviter: invite.inviter, outcome })
    return { outcome, sentence: outcomeSentence(outcome, nameOf(invite)), peerId: invite.inviter }
  }

  #problemOf(invite: Invite): InviteProblem | undefined {
    const { host, network, clock } = this.#needs
    if (invite.inviter === host.peerId) return 'own-invite'
    if (this.#isOver(invite, clock.now())) return 'expired'
    return network.isSame(invite.networkKey) ? undefined : 'other-network'
  }

  /** By the clock of this computer, which may be wrong. */
  readonly #isOver = ({ expiresAtMs }: Invite, nowMs: number): boolean => nowMs >= expiresAtMs

  async #outcomeOf(invite: Invite, text: string, switchNetwork: boolean): Promise<JoinOutcome> {
    const { network, store, clock } = this.#needs
    if (invite.inviter === this.#needs.host.peerId) return 'own-invite'
    if (!network.isSame(invite.networkKey)) {
      if (!switchNetwork || !network.canSwitch) return 'other-network'
      await store.setPending({ text, sinceMs: clock.now() })
      await network.switchTo(invite.networkKey, invite.networkName)
      return 'restart-needed'
    }
    if (store.isFull && store.person(invite.inviter) === undefined) return 'full'
    if (this.#joining !== null) {
      throw new AppError('rate_limited', 'Another invite is being accepted. Try again in a moment.', { retryAfterS: 5 })
    }
    try {
      const outcome = await this.#ask(invite)
      // Asked all the same, as only the inviter's clock counts; it forgets old invites.
      const isGone = outcome === 'unreachable' || outcome === 'refused'
      return isGone && this.#isOver(invite, clock.now()) ? 'expired' : outcome
    } finally {
      this.#show(null)
    }
  }

  async #ask(invite: Invite): Promise<JoinOutcome> {
    const { store } = this.#needs
    const { inviter } = invite
    const addresses = keptAddresses(invite)
    const withinMs = this.#needs.reachWithinMs ?? REACH_WITHIN_MS
    const within = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(withinMs)])
    let result = await this.#attempt(invite, addresses, within)
    for (let lost = 0; !within.aborted; result = await this.#attempt(invite, addresses, within)) {
      // A connection may be lost at any time: the inviter's dial for one who had this address before ends with it, for one.
      if (result?.answer === 'broken-off') lost += 1
      else if (result !== undefined) break
      if (lost >= MAX_ATTEMPTS) break
      if (result === undefined) await sleeper.sleep(REACH_AGAIN_AFTER_MS, within)
    }
    if (result === undefined) return 'unreachable'
    if (result.answer === 'unsupported' || result.answer === 'broken-off') return result.answer
    if (result.answer !== 'accepted' && result.answer !== 'already') return OUTCOMES[result.answer]
    const wasTrusted = store.isTrusted(inviter)
    await store.trust({ peerId: inviter, trustedBy: 'accepted', ownName: result.name || undefined, addresses })
    return result.answer === 'already' && wasTrusted ? 'already-trusted' : 'joined'
  }

  /** Undefined where the inviter could not be reached. */
  async #attempt(
    invite: Invite,
    addresses: readonly KeptAddress[],
    within: AbortSignal,
  ): Promise<GuestResult | undefined> {
    const { host, ownName, clock } = this.#needs
    const facts = { inviter: invite.inviter, name: invite.name || null, sinceMs: this.#joining?.sinceMs ?? clock.now() }
    this.#show({ ...facts, stage: 'reaching' })
    const connection = await this.#reach(invite.inviter, addresses, within)
    if (connection === undefined) return undefined
    this.#show({ ...facts, stage: 'proving' })
    const presented = { self: host.peerId, secret: invite.secret, name: ownName() }
    return await presentInvite(connection, presented, this.#stopped.signal)
  }

  async #reach(
    inviter: string,
    addresses: readonly KeptAddress[],
    signal: AbortSignal,
  ): Promise<Connection | undefined> {
    const { host, log } = this.#needs
    try {
      await offerAddresses(host, inviter, addresses)
      return await this.#connector.connect(inviter, signal)
    } catch (error) {
      log.debug('an inviter could not be reached', { peerId: inviter, error })
      return undefined
    }
  }

  async #resume(text: string): Promise<void> {
    const { signal } = this.#stopped
    for (let pauseMs = FIRST_RETRY_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, MAX_RETRY_MS)) {
      try {
        const { outcome } = await this.join(text, { switchNetwork: false })
        if (!MAY_COME.has(outcome)) {
          await this.#needs.store.setPending(undefined)
          return
        }
      } catch (error) {
        this.#needs.log.warn('an invite that waited for a restart could not be accepted yet', { error })
      }
      await sleeper.sleep(pauseMs, signal)
    }
  }

  #show(joining: Joining | null): void {
    this.#joining = joining
    this.#listeners.notify()
  }
}

const noInvite = { invite: null, canSwitch: false }

const nameOf = ({ name, inviter }: Invite): string => name || shortId(inviter)

/** A person named these by pasting them, but no stranger says what is on this machine. */
const keptAddresses = ({ addresses }: Invite): KeptAddress[] =>
  addresses.map((address) => ({ address, proven: scopeOf(hostOf(address)) !== 'loopback' }))

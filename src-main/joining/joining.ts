import type { JoinResult, NetworkView } from '#shared/contract/network/join.js'
import type { JoinOutcome } from '#shared/contract/people/invites.js'
import { AppError } from '#shared/errors.js'
import { KNOWN_NETWORKS, knownNetwork, NO_NETWORK, quote } from '../config/index.js'
import { type SourceAttempt, trySource } from '../p2p/bootstrap/index.js'
import { readNetworkKey, writeNetworkKey } from '../people/index.js'
import { recognise, type Recognised } from './recognise.js'
import type { Joining, JoiningNeeds, NetworkChange } from './index.js'

/** Over a running node. */
export function createJoining(needs: JoiningNeeds): Joining {
  return new NodeJoining(needs)
}

const TRY_WITHIN_MS = 20_000
const JOINED = 'bootstrap.joined'
const WORKED: ReadonlySet<JoinOutcome> = new Set(['joined', 'already-trusted'])
const RESTART = 'Restart this node: it is in that network then.'
const FIXED =
  'A flag or the environment says which network this node is in. Start it without --swarm-key and OCF_SWARM_KEY first.'

type Result = Omit<JoinResult, 'kind'>

const failed = (sentence: string): Result => ({ state: 'failed', sentence, canSwitch: false, peerId: null })

class NodeJoining implements Joining {
  readonly #needs: JoiningNeeds

  constructor(needs: JoiningNeeds) {
    this.#needs = { ...needs, log: needs.log.forComponent('joining') }
  }

  view(): Omit<NetworkView, 'canRestart'> {
    const { network } = this.#needs.people
    const { current } = this.#needs.live
    return {
      privateName: network.name ?? null,
      nextPrivateName: network.nextName ?? null,
      known: current.network === NO_NETWORK ? null : current.network,
      joined: [...current[JOINED]],
      choices: KNOWN_NETWORKS.map((known) => ({
        ...{ name: known.name, title: known.title, kind: known.kind, runBy: known.runBy, meaning: known.meaning },
      })),
      canSwitch: network.canSwitch,
    }
  }

  async join(text: string, { switchNetwork }: { switchNetwork: boolean }): Promise<JoinResult> {
    const word = text.trim()
    const isKept = await this.#needs.people.network.isKept(word)
    const found = recognise(text, (name) => isKept || knownNetwork(name) !== undefined)
    const result = await this.#joinAs(found, text, { word, switchNetwork })
    this.#needs.log.info('something was to be joined', { kind: found.kind, state: result.state })
    return { kind: found.kind, ...result }
  }

  async create(name: string): Promise<NetworkChange> {
    const { network } = this.#needs.people
    if (!network.canSwitch) throw new AppError('invalid_request', FIXED)
    await network.create(name)
    const sentence = `The private network ${name} is founded. ${RESTART} Then \`ocf invite\` brings others into it.`
    return { sentence, restartNeeded: true }
  }

  key(): string {
    const { key } = this.#needs.people.network
    if (key !== undefined) return writeNetworkKey(key)
    throw new AppError('not_found', 'This node is in the open network, which has no key.')
  }

  async leave(what: string | undefined): Promise<NetworkChange> {
    return what === undefined || what === NO_NETWORK ? await this.#leaveAll() : await this.#leaveSource(what)
  }

  async #joinAs(
    found: Recognised,
    text: string,
    { word, switchNetwork }: { word: string; switchNetwork: boolean },
  ): Promise<Result> {
    switch (found.kind) {
      case 'unknown':
        return failed(found.sentence)
      case 'invite':
        return await this.#joinByInvite(text, switchNetwork)
      case 'network':
        return await this.#joinByName(word, switchNetwork)
      case 'network-key':
        return await this.#joinByKey(word, switchNetwork)
      case 'address':
        return await this.#joinAt(found.tries, found.isWord ? word : undefined)
    }
  }

  async #joinByInvite(text: string, switchNetwork: boolean): Promise<Result> {
    const { people } = this.#needs
    const { outcome, sentence, peerId } = await people.join(text, { switchNetwork })
    const state = WORKED.has(outcome) ? 'joined' : outcome === 'restart-needed' ? outcome : 'failed'
    return { state, sentence, canSwitch: outcome === 'other-network' && people.network.canSwitch, peerId }
  }

  async #joinByName(word: string, switchNetwork: boolean): Promise<Result> {
    const known = knownNetwork(word)
    if (known === undefined) {
      return await this.#switch(`the private network ${word}`, switchNetwork, (network) => network.switchToKept(word))
    }
    if (this.#needs.people.network.key !== undefined) {
      return failed('This node is in a private network, which has no others. `ocf network leave` takes it out of it.')
    }
    const { live } = this.#needs
    // Who offers models in the network of the Go program already goes on doing so.
    const isToUse = known.kind === 'go' && live.source.next().settings['go-network'] === 'off'
    const { restartNeeded } = await live.source.saveAll({
      network: known.name,
      ...(isToUse ? { 'go-network': 'use' } : {}),
    })
    const sentence = `This node is in the network ${known.title}, run by ${known.runBy}. ${known.meaning}`
    if (!isToUse) return { ...failed(sentence), state: restartNeeded ? 'restart-needed' : 'joined' }
    return {
      ...failed(`Restart this node: it uses the network ${known.title}, run by ${known.runBy}, then. ${known.meaning}`),
      state: 'restart-needed',
    }
  }

  async #joinByKey(text: string, switchNetwork: boolean): Promise<Result> {
    const key = readNetworkKey(text)
    if (key === undefined) return failed('Characters of this key are missing or changed. Copy the whole line.')
    if (this.#needs.people.network.isSame(key)) {
      return { ...failed('This node is in that network already.'), state: 'joined' }
    }
    return await this.#switch('the private network of this key', switchNetwork, (network) => network.switchTo(key))
  }

  async #switch(
    which: string,
    switchNetwork: boolean,
    change: (network: JoiningNeeds['people']['network']) => Promise<void>,
  ): Promise<Result> {
    const { network } = this.#needs.people
    if (!network.canSwitch) return failed(FIXED)
    if (!switchNetwork) {
      const sentence = `This node would have to restart into ${which}; it leaves the network it is in, and keeps its identity and whom it trusts.`
      return { ...failed(sentence), canSwitch: true }
    }
    await change(network)
    return { ...failed(RESTART), state: 'restart-needed' }
  }

  async #joinAt(tries: readonly string[], word: string | undefined): Promise<Result> {
    const { live, host, log } = this.#needs
    if (live.current.mode !== 'node') {
      return failed(`This node runs with --mode ${live.current.mode} and meets no others. Start it with --mode node.`)
    }
    const signal = AbortSignal.timeout(TRY_WITHIN_MS)
    const attempts = await Promise.all(
      tries.map(async (source): Promise<[string, SourceAttempt]> => [
        source,
        await trySource({ host, log }, source, signal),
      ]),
    )
    const [reached] = attempts.find(([, { outcome }]) => outcome === 'reached') ?? []
    if (reached !== undefined) return await this.#remember(reached)
    if (attempts.some(([, { outcome }]) => outcome === 'self'))
      return failed('This is the address of this node itself.')
    const why = attempts
      .map(([source, attempt]) => `${source}: ${'reason' in attempt ? attempt.reason : ''}`)
      .join('; ')
    const noNetwork = word === undefined ? '' : ` There is no network called ${quote(word)} either.`
    const isPrivate = this.#needs.people.network.key !== undefined
    const hint = isPrivate
      ? 'It has to run, and to be in the same private network'
      : 'It has to run, and its port to be open'
    return failed(`No node answers there (${why}).${noNetwork} ${hint}. Nothing was changed.`)
  }

  async #remember(source: string): Promise<Result> {
    const { live } = this.#needs
    const known = live.current[JOINED]
    if (!known.includes(source)) await live.source.save(JOINED, JSON.stringify([...known, source]))
    const sentence = `Joined through ${source}, which is asked again at each start.`
    return { ...failed(sentence), state: 'joined' }
  }

  async #leaveSource(what: string): Promise<NetworkChange> {
    const { live, people } = this.#needs
    const isNetwork = what === people.network.name || what === live.current.network
    if (isNetwork) return await this.#leaveAll()
    const found = recognise(what, () => false)
    const meant = new Set([what, ...(found.kind === 'address' ? found.tries : [])])
    const left = live.current[JOINED].filter((source) => !meant.has(source))
    if (left.length === live.current[JOINED].length) {
      throw new AppError('not_found', `${quote(what)} was not joined. \`ocf network\` lists what was.`)
    }
    const { restartNeeded } = await live.source.save(JOINED, left.length === 0 ? null : JSON.stringify(left))
    return { sentence: `${what} is no longer asked. Peers met through it stay until they go.`, restartNeeded }
  }

  async #leaveAll(): Promise<NetworkChange> {
    const { live, people, bootstrapper } = this.#needs
    const { network } = people
    if (network.name !== undefined && !network.canSwitch) throw new AppError('invalid_request', FIXED)
    const isPrivate = network.name !== undefined || network.nextName !== undefined
    // Both times: what is remembered is dialled as soon as the sources change, and again when the last peer is gone.
    const isKept = (peerId: string): boolean => people.isTrusted(peerId)
    await bootstrapper.forgetPeers(isKept)
    const isGo = knownNetwork(live.current.network)?.kind === 'go'
    const changed = await live.source.saveAll({
      ...{ [JOINED]: null, network: null },
      ...(isGo ? { 'go-network': null } : {}),
      ...(isPrivate ? { 'swarm-key': null } : {}),
    })
    await bootstrapper.forgetPeers(isKept)
    const sentence = isPrivate
      ? `This node is out of ${network.nextName ?? network.name ?? 'it'} after a restart; the key is kept, and \`ocf join\` with its name goes back.`
      : 'What was joined is forgotten and not asked again. Peers that the node table knows may still be met until their rows end, some minutes later. Whom you trust stays: `ocf people`.'
    return { sentence, restartNeeded: isPrivate || changed.restartNeeded }
  }
}

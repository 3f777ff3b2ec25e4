import { SERVER_NAMES } from '#shared/contract/sharing/detection.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import type { ServerChoices, Visibility } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import type { Clock } from '../../../base/clock.js'
import { Listeners } from '../../../base/listeners.js'
import type { Log } from '../../../logging/index.js'
import type { Detector, DetectionResult } from '../../detection/index.js'
import type { ServiceRegistry } from '../../index.js'
import { LLM, serviceIdOf } from '../../registry/registration.js'
import { authorityOf, bareHost, hostsToTry } from '../../registry/target.js'
import { isNarrower, visibilityOf } from '../../registry/visibility.js'
import type { SecretStore } from '../../secrets/index.js'
import { choicesOf, choose, modelNamed, registrationOf, viewChoices, withVisibility } from './choices.js'
import {
  KeptShareSchema,
  MAX_STOPPED,
  ShareFile,
  type KeptShare,
  type KeptShares,
  type StoppedShare,
} from './share-file.js'
import type { EndedShare, ShareRequest, Shares } from './index.js'

/** What the shares stand on. */
export interface SharesNeeds {
  registry: Pick<ServiceRegistry, 'add' | 'check' | 'remove' | 'get' | 'subscribe'>
  detector: () => Pick<Detector, 'inspect' | 'typedKey' | 'refreshShared'>
  secrets: SecretStore
  clock: Clock
  log: Log
}

/** Shares kept in `file`; their keys in the secret store. */
export function createShares(needs: SharesNeeds, options: { file: string }): Shares {
  return new StoredShares(needs, options)
}

/** Whatever opens something to peers is checked, then stored, then done; whatever closes it is done, then stored. */
class StoredShares implements Shares {
  readonly name = 'shares'
  readonly #needs: SharesNeeds
  readonly #log: Log
  readonly #file: ShareFile
  readonly #keys = new Map<string, string>()
  readonly #listeners = new Listeners()
  #shares: ReadonlyMap<string, KeptShare> = new Map()
  /** What was chosen for servers that are no longer shared, the latest first. */
  #stopped: readonly StoppedShare[] = []
  #wasUpgraded = false
  #changing: Promise<unknown> = Promise.resolve()

  constructor(needs: SharesNeeds, options: { file: string }) {
    this.#needs = needs
    this.#log = needs.log.forComponent('shares')
    this.#file = new ShareFile({ secrets: needs.secrets, log: this.#log }, options)
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const shares = new Map<string, KeptShare>()
    const kept = await this.#file.read()
    for (const share of kept.shares) {
      const id = await this.#restore(share)
      if (id !== undefined) shares.set(id, share)
    }
    this.#shares = shares
    this.#stopped = kept.stopped
    if (kept.isOld && shares.size > 0) await this.#upgrade(kept)
  }

  async stop(): Promise<void> {
    this.#listeners.clear()
    await this.#changing
  }

  list(): ShareView[] {
    return [...this.#shares].map(([id, share]) => this.#viewOf(id, share))
  }

  add(request: ShareRequest): Promise<ShareView> {
    return this.#inTurn(() => this.#add(request))
  }

  async remove(id: string): Promise<EndedShare> {
    // Before its turn: a change that is under way may wait for a slow server.
    const wasRegistered = await this.#needs.registry.remove(id)
    return this.#inTurn(() => this.#remove(id, wasRegistered))
  }

  get wasUpgraded(): boolean {
    return this.#wasUpgraded
  }

  setVisibility(id: string, model: string | undefined, visibility: Visibility): Promise<ShareView> {
    return this.#inTurn(() => this.#setVisibility(id, model, visibility))
  }

  remembered(address: string): ServerChoices | undefined {
    const found = this.#stopped.find(({ host, port }) => hostsToTry(host).some((one) => isAt(one, port, address)))
    return found === undefined || this.sharedAs(address) !== undefined ? undefined : viewChoices(found)
  }

  sharedAs(address: string): string | undefined {
    const shares = [...this.#shares]
    const same = shares.find(([, { host, port }]) => isAt(host, port, address))
    // One that came back on the other loopback address is reached there.
    const other = ([, { host, port }]: (typeof shares)[number]): boolean =>
      hostsToTry(host).some((one) => isAt(one, port, address))
    return (same ?? shares.find(other))?.[0]
  }

  keyFor(address: string): string | undefined {
    return this.#keys.get(address)
  }

  subscribe(listener: () => void): () => void {
    const remove = this.#listeners.add(listener)
    const stop = this.#needs.registry.subscribe(listener)
    return () => {
      remove()
      stop()
    }
  }

  /** One change after the other, so that two never write over each other. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(change)
    this.#changing = done.catch(() => undefined) // The caller hears of it; the next one is not held up.
    return done
  }

  /** Registers a share of the last run; its id, or undefined where that is no longer possible. */
  async #restore(share: KeptShare): Promise<string | undefined> {
    const address = authorityOf(share)
    const key = await this.#file.keyOf(address)
    if (key !== undefined) this.#keys.set(address, key)
    try {
      return this.#needs.registry.add(registrationOf(share, key))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      this.#log.warn('a share of the last run is no longer possible', { address, reason: error.message })
      return undefined
    }
  }

  async #add(request: ShareRequest): Promise<ShareView> {
    const { registry, clock } = this.#needs
    const detector = this.#needs.detector()
    const detected = await detector.inspect({ ...request, host: bareHost(request.host) })
    const target = { host: this.#hostFor(request, detected), port: request.port }
    const address = authorityOf(target)
    const { kind, basePath, healthPath, port } = detected
    const before = this.#shares.get(serviceIdOf({ name: LLM, host: target.host, port }))
    const stopped = this.#stopped.find((one) => hostsToTry(one.host).some((host) => isAt(host, one.port, address)))
    const chosen = choose(request, detected, before ?? stopped)
    const share = KeptShareSchema.parse({
      ...{ host: target.host, port, kind, basePath, healthPath, ...chosen },
      sharedAtMs: before?.sharedAtMs ?? clock.now(),
    })
    const keptKey = this.#keys.get(address)
    const key = request.apiKey ?? detector.typedKey(address) ?? keptKey
    const registration = registrationOf(share, key)
    const id = registry.check(registration)
    const next = new Map(this.#shares).set(id, share)
    const keyChange = key === undefined || key === keptKey ? undefined : { address, key, before: keptKey }
    const otherwise = before === undefined ? 'Nothing was shared' : 'What is shared stays as it was'
    const rest = this.#stopped.filter((one) => one !== stopped)
    await this.#file.store({ shares: [...next.values()], stopped: rest }, keyChange, otherwise)
    try {
      registry.add(registration)
    } catch (error) {
      await this.#file.takeBack(this.#kept(), keyChange)
      throw error
    }
    this.#shares = next
    this.#stopped = rest
    if (key !== undefined) this.#keys.set(address, key)
    this.#changed()
    const { models } = share
    this.#log.info('a server is shared', { service: id, models: models === 'all' ? 'all' : models.length })
    return this.#viewOf(id, share)
  }

  async #setVisibility(id: string, model: string | undefined, visibility: Visibility): Promise<ShareView> {
    const { registry } = this.#needs
    const before = this.#shares.get(id)
    if (before === undefined) throw new AppError('not_found', 'That server is not shared.', { param: 'id' })
    const named = model === undefined ? undefined : modelNamed(before, registry.get(id), model)
    if (model !== undefined && named === undefined) {
      throw new AppError('invalid_service', `The server has no model ${JSON.stringify(model)}.`, { param: 'model' })
    }
    const share = withVisibility(before, named, visibility)
    const was = named === undefined ? undefined : choicesOf(before).find((choice) => choice.model === named)
    const next = new Map(this.#shares).set(id, share)
    const registration = registrationOf(share, this.#keys.get(authorityOf(share)))
    // What is closed to somebody is closed first; what is opened is stored first.
    const isClosing = isNarrower(visibility, was?.visibility ?? before.visibility)
    if (isClosing) {
      registry.add(registration)
      this.#shares = next
      this.#changed()
    }
    const otherwise = isClosing ? 'This holds until the next start' : 'Who may use it stays as it was'
    await this.#file.store({ shares: [...next.values()], stopped: this.#stopped }, undefined, otherwise)
    if (!isClosing) registry.add(registration)
    this.#shares = next
    this.#changed()
    this.#log.info('who may use a model has changed', { service: id, visibility })
    return this.#viewOf(id, share)
  }

  /** The first format had no visibilities: what was shared stays shared with everyone, and the person is told. */
  async #upgrade(kept: KeptShares): Promise<void> {
    this.#wasUpgraded = true
    this.#log.warn('shares of an earlier version stay as they were: everyone can use them', {
      shares: this.#shares.size,
    })
    try {
      await this.#file.store(kept, undefined, 'The shares stay in their old form')
    } catch (error) {
      this.#log.error('the shares could not be written in their new form', { error })
    }
  }

  #kept(): KeptShares {
    return { shares: [...this.#shares.values()], stopped: this.#stopped }
  }

  /** For `localhost` the address that a share of this port has already, so that it is changed and not shared twice. */
  #hostFor({ host, port }: ShareRequest, detected: DetectionResult): string {
    if (bareHost(host) !== 'localhost') return bareHost(host)
    // Earlier versions kept the name itself.
    const known = ['localhost', ...hostsToTry(host)].find((one) =>
      this.#shares.has(serviceIdOf({ name: LLM, host: one, port })),
    )
    return known ?? detected.host
  }

  async #remove(id: string, wasRegistered: boolean): Promise<EndedShare> {
    const share = this.#shares.get(id)
    // A change that was under way may have registered it again.
    const isRegisteredAgain = await this.#needs.registry.remove(id)
    if (share === undefined) {
      const removed = wasRegistered || isRegisteredAgain
      return { removed, untilRestart: removed, problem: null }
    }
    const rest = new Map(this.#shares)
    rest.delete(id)
    this.#shares = rest
    const { host, port, models, visibility, choices, aliases } = share
    const others = this.#stopped.filter((one) => authorityOf(one) !== authorityOf(share))
    this.#stopped = [{ host, port, models, visibility, choices, aliases }, ...others].slice(0, MAX_STOPPED)
    const address = authorityOf(share)
    this.#keys.delete(address)
    this.#changed()
    this.#log.info('a server is no longer shared', { service: id })
    const { comesBack, problem } = await this.#file.takeOut(this.#kept(), address)
    return { removed: true, untilRestart: comesBack, problem }
  }

  #changed(): void {
    this.#wasUpgraded = false
    this.#needs.detector().refreshShared()
    this.#listeners.notify()
  }

  #viewOf(id: string, share: KeptShare): ShareView {
    const service = this.#needs.registry.get(id)
    const address = authorityOf(share)
    const names =
      service?.models.map((model) => ({ name: model.id, visibility: visibilityOf(service, model.id) })) ?? []
    return {
      ...{ id, address, host: share.host, port: share.port, kind: share.kind },
      name: SERVER_NAMES[share.kind],
      status: service?.status ?? 'down',
      problem: service === undefined ? 'it is not registered' : (service.problem ?? null),
      models: share.models,
      visibility: share.visibility,
      choices: viewChoices(share, service).models,
      aliases: share.aliases,
      names,
      published: names.filter((one) => one.visibility === 'everyone').map((one) => one.name),
      hasKey: this.#keys.has(address),
      sharedAtMs: share.sharedAtMs,
    }
  }
}

const isAt = (host: string, port: number, address: string): boolean => authorityOf({ host, port }) === address

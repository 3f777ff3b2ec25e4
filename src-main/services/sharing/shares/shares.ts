import { SERVER_NAMES } from '#shared/contract/sharing/detection.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { AppError } from '#shared/errors.js'
import { isPublishable } from '#shared/model-names.js'
import type { Clock } from '../../../base/clock.js'
import { Listeners } from '../../../base/listeners.js'
import type { Log } from '../../../logging/index.js'
import type { Detector, DetectionResult } from '../../detection/index.js'
import type { RegistrationInput, ServiceRegistry } from '../../index.js'
import { OLLAMA_API, publicIdOf } from '../../registry/published-models.js'
import { LLM, serviceIdOf } from '../../registry/registration.js'
import { authorityOf, bareHost, hostsToTry } from '../../registry/target.js'
import type { SecretStore } from '../../secrets/index.js'
import { KeptShareSchema, ShareFile, type KeptShare } from './share-file.js'
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
  return new KeptShares(needs, options)
}

/** Whatever opens something to peers is checked, then stored, then done; whatever closes it is done, then stored. */
class KeptShares implements Shares {
  readonly name = 'shares'
  readonly #needs: SharesNeeds
  readonly #log: Log
  readonly #file: ShareFile
  readonly #keys = new Map<string, string>()
  readonly #listeners = new Listeners()
  #shares: ReadonlyMap<string, KeptShare> = new Map()
  #changing: Promise<unknown> = Promise.resolve()

  constructor(needs: SharesNeeds, options: { file: string }) {
    this.#needs = needs
    this.#log = needs.log.forComponent('shares')
    this.#file = new ShareFile({ secrets: needs.secrets, log: this.#log }, options)
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const shares = new Map<string, KeptShare>()
    for (const share of await this.#file.read()) {
      const id = await this.#restore(share)
      if (id !== undefined) shares.set(id, share)
    }
    this.#shares = shares
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

  sharedAs(address: string): string | undefined {
    const shares = [...this.#shares]
    const isAt = (host: string, { port }: KeptShare): boolean => authorityOf({ host, port }) === address
    const same = shares.find(([, share]) => isAt(share.host, share))
    // One that came back on the other loopback address is reached there.
    return (same ?? shares.find(([, share]) => hostsToTry(share.host).some((host) => isAt(host, share))))?.[0]
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
    const models = tickedIds(request.models, detected)
    const aliases = checkedAliases(request.aliases, models, detected)
    const { kind, basePath, healthPath, port } = detected
    const before = this.#shares.get(serviceIdOf({ name: LLM, host: target.host, port }))
    const share = KeptShareSchema.parse({
      ...{ host: target.host, port, kind, basePath, healthPath, models, aliases },
      sharedAtMs: before?.sharedAtMs ?? clock.now(),
    })
    const keptKey = this.#keys.get(address)
    const key = request.apiKey ?? detector.typedKey(address) ?? keptKey
    const registration = registrationOf(share, key)
    const id = registry.check(registration)
    const next = new Map(this.#shares).set(id, share)
    const keyChange = key === undefined || key === keptKey ? undefined : { address, key, before: keptKey }
    const otherwise = before === undefined ? 'Nothing was shared' : 'What is shared stays as it was'
    await this.#file.store([...next.values()], keyChange, otherwise)
    try {
      registry.add(registration)
    } catch (error) {
      await this.#file.takeBack([...this.#shares.values()], keyChange)
      throw error
    }
    this.#shares = next
    if (key !== undefined) this.#keys.set(address, key)
    this.#changed()
    this.#log.info('a server is shared', { service: id, models: models === 'all' ? 'all' : models.length })
    return this.#viewOf(id, share)
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
    const address = authorityOf(share)
    this.#keys.delete(address)
    this.#changed()
    this.#log.info('a server is no longer shared', { service: id })
    const { comesBack, problem } = await this.#file.takeOut([...rest.values()], address)
    return { removed: true, untilRestart: comesBack, problem }
  }

  #changed(): void {
    this.#needs.detector().refreshShared()
    this.#listeners.notify()
  }

  #viewOf(id: string, share: KeptShare): ShareView {
    const service = this.#needs.registry.get(id)
    const address = authorityOf(share)
    return {
      ...{ id, address, host: share.host, port: share.port, kind: share.kind },
      name: SERVER_NAMES[share.kind],
      status: service?.status ?? 'down',
      problem: service === undefined ? 'it is not registered' : (service.problem ?? null),
      models: share.models,
      aliases: share.aliases,
      published: service?.models.map((model) => model.id) ?? [],
      hasKey: this.#keys.has(address),
      sharedAtMs: share.sharedAtMs,
    }
  }
}

function registrationOf(share: KeptShare, apiKey: string | undefined): RegistrationInput {
  const { host, port, basePath, healthPath, models } = share
  const identityGroups = share.kind === 'ollama' ? [OLLAMA_API] : []
  const aliases = new Map(share.aliases.map(({ name, model }) => [name, model]))
  return { name: LLM, host, port, basePath, healthPath, identityGroups, models, aliases, apiKey }
}

/** The server's own ids of what was ticked. @throws AppError `invalid_service` for a model it does not have */
function tickedIds(ticked: ShareRequest['models'], { models, address }: DetectionResult): 'all' | string[] {
  if (ticked === 'all') return 'all'
  const ids = ticked.map((wanted) => models.find(({ id }) => id === wanted || publicIdOf(id) === wanted)?.id)
  const missing = ticked.filter((_, index) => ids[index] === undefined)
  if (missing.length > 0) {
    const list = missing.slice(0, 5).map((id) => JSON.stringify(id))
    throw new AppError('invalid_service', `The server at ${address} has no model ${list.join(', ')}.`, {
      param: 'models',
    })
  }
  return [...new Set(ids.filter((id) => id !== undefined))]
}

/** Further names with the server's own ids. @throws AppError `invalid_service` for one that can't be announced */
function checkedAliases(
  aliases: ShareRequest['aliases'],
  models: 'all' | string[],
  detected: DetectionResult,
): ShareRequest['aliases'][number][] {
  const shared = models === 'all' ? detected.models.map(({ id }) => id) : models
  const taken = new Set(shared.map(publicIdOf))
  return aliases.map(({ name, model }) => {
    const refuse = (reason: string): AppError =>
      new AppError('invalid_service', `The name ${JSON.stringify(name)} ${reason}`, { param: 'aliases' })
    const id = shared.find((one) => one === model || publicIdOf(one) === model)
    if (id === undefined) throw refuse(`stands for ${JSON.stringify(model)}, which is not shared.`)
    if (!isPublishable(name)) {
      throw refuse(
        'can’t be announced: it must not be *, ., .. or ~, nor begin or end with a blank or hold hidden characters.',
      )
    }
    if (taken.has(name)) throw refuse('is taken by another model of this server. Choose another one.')
    taken.add(name)
    return { name, model: id }
  })
}

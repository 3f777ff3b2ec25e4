import { SERVER_NAMES } from '#shared/contract/detection.js'
import type { ShareView } from '#shared/contract/shares.js'
import { AppError } from '#shared/errors.js'
import type { Clock } from '../../../base/clock.js'
import type { Log } from '../../../logging/index.js'
import type { Detector, Sighting } from '../../detection/index.js'
import { OLLAMA_API } from '../../registry/identity-groups.js'
import type { RegistrationInput, ServiceRegistry } from '../../index.js'
import { readJsonFile, writeJsonFile } from '../../../base/json-file.js'
import { isPublishable, publicIdOf } from '../../registry/published-models.js'
import { LLM, serviceIdOf } from '../../registry/registration.js'
import type { SecretStore } from '../../secrets/index.js'
import { authorityOf, bareHost } from '../../registry/target.js'
import type { ShareRequest, Shares } from './index.js'
import { KeptShareSchema, shareFile, ShareFileSchema, type KeptShare } from './share-file.js'

const secretName = (address: string): string => `server-key:${address}`

/** Shares kept in `file`; their keys in the secret store. A file that can't be understood is kept aside, not lost. */
export function createShares(
  needs: {
    registry: Pick<ServiceRegistry, 'add' | 'remove' | 'get' | 'subscribe'>
    detector: () => Pick<Detector, 'inspect' | 'typedKey' | 'refreshShared'>
    secrets: SecretStore
    clock: Clock
    log: Log
  },
  options: { file: string },
): Shares {
  const { registry, secrets, clock } = needs
  const log = needs.log.forComponent('shares')
  const shares = new Map<string, KeptShare>()
  const keys = new Map<string, string>()
  const listeners = new Set<() => void>()
  let changing: Promise<unknown> = Promise.resolve()

  /** One change after the other, so that two never write over each other. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = changing.then(change)
    changing = done.catch(() => undefined) // Whoever asked is told; the next one is not held up.
    return done
  }

  async function load(): Promise<void> {
    const content = await readJsonFile(options.file, ShareFileSchema)
    if (content.kind === 'missing') return
    if (content.kind === 'broken') {
      log.error('what was shared before cannot be read and is not shared now', {
        file: options.file,
        reason: content.reason,
      })
      return
    }
    for (const entry of content.value.shares) {
      const parsed = KeptShareSchema.safeParse(entry)
      if (parsed.success) await restore(parsed.data)
      else log.warn('one of the shares cannot be understood and is left out', { file: options.file })
    }
  }

  async function restore(share: KeptShare): Promise<void> {
    const address = authorityOf(share)
    const key = await keptKey(address)
    if (key !== undefined) keys.set(address, key)
    try {
      shares.set(registry.add(registrationOf(share, key)), share)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      log.warn('a share of the last run is no longer possible', { address, reason: error.message })
    }
  }

  /** A key that can't be opened must not keep the node from starting: the server then asks for it. */
  async function keptKey(address: string): Promise<string | undefined> {
    try {
      return await secrets.get(secretName(address))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      log.error('the kept key of a server cannot be read and is not sent', { address, reason: error.message })
      return undefined
    }
  }

  async function save(): Promise<void> {
    await writeJsonFile(options.file, shareFile([...shares.values()]))
    needs.detector().refreshShared()
    changed()
  }

  function changed(): void {
    for (const listener of [...listeners]) listener()
  }

  async function add(request: ShareRequest): Promise<ShareView> {
    const target = { ...request, host: bareHost(request.host) }
    const address = authorityOf(target)
    const sighting = await needs.detector().inspect(target)
    const models = tickedIds(request.models, sighting)
    const aliases = checkedAliases(request.aliases, models, sighting)
    const { kind, basePath, healthPath, port } = sighting
    const share = KeptShareSchema.parse({
      ...{ host: target.host, port, kind, basePath, healthPath, models },
      aliases,
      sharedAtMs: shares.get(serviceIdOf({ name: LLM, host: target.host, port }))?.sharedAtMs ?? clock.now(),
    })
    const key = request.apiKey ?? needs.detector().typedKey(address) ?? keys.get(address)
    const id = registry.add(registrationOf(share, key))
    shares.set(id, share)
    if (key !== undefined && key !== keys.get(address)) await secrets.set(secretName(address), key)
    if (key !== undefined) keys.set(address, key)
    await save()
    log.info('a server is shared', { service: id, models: models === 'all' ? 'all' : models.length })
    return viewOf(id, share)
  }

  async function remove(id: string): Promise<{ removed: boolean; untilRestart: boolean }> {
    const share = shares.get(id)
    const wasRegistered = await registry.remove(id)
    if (share === undefined) return { removed: wasRegistered, untilRestart: wasRegistered }
    shares.delete(id)
    const address = authorityOf(share)
    keys.delete(address)
    await secrets.remove(secretName(address))
    await save()
    log.info('a server is no longer shared', { service: id })
    return { removed: true, untilRestart: false }
  }

  function viewOf(id: string, share: KeptShare): ShareView {
    const service = registry.get(id)
    const address = authorityOf(share)
    return {
      ...{ id, address, host: share.host, port: share.port, kind: share.kind },
      name: SERVER_NAMES[share.kind],
      status: service?.status ?? 'down',
      problem: service === undefined ? 'it is not registered' : (service.problem ?? null),
      models: share.models,
      aliases: share.aliases,
      published: service?.models.map((model) => model.id) ?? [],
      hasKey: keys.has(address),
      sharedAtMs: share.sharedAtMs,
    }
  }

  return {
    name: 'shares',
    async start(signal) {
      signal.throwIfAborted()
      await load()
    },
    async stop() {
      listeners.clear()
      await changing
    },
    list: () => [...shares].map(([id, share]) => viewOf(id, share)),
    add: (request) => inTurn(() => add(request)),
    remove: (id) => inTurn(() => remove(id)),
    sharedAs(address) {
      return [...shares].find(([, share]) => authorityOf(share) === address)?.[0]
    },
    keyFor: (address) => keys.get(address),
    subscribe(listener) {
      listeners.add(listener)
      const stop = registry.subscribe(listener)
      return () => {
        listeners.delete(listener)
        stop()
      }
    },
  }
}

function registrationOf(share: KeptShare, apiKey: string | undefined): RegistrationInput {
  const { host, port, basePath, healthPath, models } = share
  const identityGroups = share.kind === 'ollama' ? [OLLAMA_API] : []
  const aliases = new Map(share.aliases.map(({ name, model }) => [name, model]))
  return { name: LLM, host, port, basePath, healthPath, identityGroups, models, aliases, apiKey }
}

/** The server's own ids of what was ticked. @throws AppError `invalid_service` for a model it does not have */
function tickedIds(ticked: ShareRequest['models'], { models, address }: Sighting): 'all' | string[] {
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
  sighting: Sighting,
): ShareRequest['aliases'][number][] {
  const shared = models === 'all' ? sighting.models.map(({ id }) => id) : models
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

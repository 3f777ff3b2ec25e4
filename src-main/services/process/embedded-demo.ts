import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Service } from '../../base/lifecycle.js'
import { createDemoModelServer, type DemoModelServer } from '../../demo-model/index.js'
import type { Log } from '../../logging/index.js'
import type { LocalService, ServiceRegistry } from '../index.js'
import { LLM } from '../registry/registration.js'

/** The setting `demo-model`. */
export type DemoMode = 'auto' | 'on' | 'off'

/** What is known about real models on this machine. */
export interface DemoFacts {
  /** A real model has been shared from this machine before: the demo model has stepped aside for good. */
  realServiceEverShared: boolean
  /** A real service is registered now. */
  realServiceRegistered: boolean
  /** A model server runs here, though it is not shared yet. */
  realServerFoundLocally: boolean
}

/** Whether the built-in demo model is offered: never against the owner's word, and otherwise only where there is nothing real. */
export function shouldOfferDemo(mode: DemoMode, facts: DemoFacts): boolean {
  if (mode !== 'auto') return mode === 'on'
  return !facts.realServiceEverShared && !facts.realServiceRegistered && !facts.realServerFoundLocally
}

/** When and how the built-in demo model is offered. */
export interface EmbeddedDemoOptions {
  mode: DemoMode
  /** Where it is remembered that a real model has been shared. */
  dataDir: string
  tokensPerSecond: number
  /** True only for demonstrations: the whole network sees it (default false: this machine only). */
  published?: boolean
  /** Default `ocf-demo`. */
  modelId?: string
}

/** The demo model as part of a node. */
export interface EmbeddedDemo extends Service {
  /** The id under which it is registered, while it is offered. */
  readonly serviceId: string | undefined
}

const MARKER = 'demo-model-retired'

/** Offers the demo model under `llm` while there is nothing real, and steps aside once a real model is shared. */
export function createEmbeddedDemo(
  needs: {
    log: Log
    registry: Pick<ServiceRegistry, 'add' | 'remove' | 'list' | 'subscribe'>
    /** Whether a model server runs on this machine. */
    hasAnyServer: (signal: AbortSignal) => Promise<boolean>
  },
  options: EmbeddedDemoOptions,
): EmbeddedDemo {
  const log = needs.log.forComponent('demo-model')
  const { registry } = needs
  const marker = join(options.dataDir, MARKER)
  let server: DemoModelServer | undefined
  let serviceId: string | undefined
  let unsubscribe: (() => void) | undefined
  let retiring: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  const isReal = (service: LocalService): boolean => service.name === LLM && service.id !== serviceId
  const isShared = (service: LocalService): boolean =>
    isReal(service) && service.published && service.status === 'connected'

  async function shouldOffer(signal: AbortSignal): Promise<boolean> {
    if (options.mode !== 'auto') return shouldOfferDemo(options.mode, NOTHING_REAL)
    const known = {
      realServiceEverShared: await exists(marker),
      realServiceRegistered: registry.list().some(isReal),
      realServerFoundLocally: false,
    }
    if (!shouldOfferDemo('auto', known)) return false
    return shouldOfferDemo('auto', { ...known, realServerFoundLocally: await needs.hasAnyServer(signal) })
  }

  async function offer(signal: AbortSignal): Promise<void> {
    const { tokensPerSecond, modelId, published = false } = options
    server = createDemoModelServer({ log: needs.log }, { tokensPerSecond, modelId })
    await server.start(signal)
    serviceId = registry.add({ name: LLM, port: server.port, visibility: published ? 'everyone' : 'me' })
    log.info('the demo model is offered', { service: serviceId, toTheNetwork: published })
  }

  async function stepAside(): Promise<void> {
    if (serviceId !== undefined) await registry.remove(serviceId)
    serviceId = undefined
    await server?.stop()
    server = undefined
  }

  async function retire(): Promise<void> {
    log.info('a real model is shared: the demo model steps aside for good')
    await mkdir(options.dataDir, { recursive: true })
    await writeFile(marker, 'A real model has been shared from here; delete this file to get the demo model back.\n')
    await stepAside()
  }

  function retireOnceReal(): void {
    if (retiring !== undefined || !registry.list().some(isShared)) return
    retiring = retire().catch((error: unknown) => log.error('the demo model could not step aside', { error }))
  }

  async function stop(): Promise<void> {
    unsubscribe?.()
    await retiring
    await stepAside()
  }

  return {
    name: 'embedded-demo',
    get serviceId() {
      return serviceId
    },
    async start(signal) {
      signal.throwIfAborted()
      if (options.mode === 'auto') unsubscribe = registry.subscribe(retireOnceReal)
      try {
        if (await shouldOffer(signal)) await offer(signal)
      } catch (error) {
        unsubscribe?.()
        await stepAside()
        throw error
      }
      if (options.mode === 'auto') retireOnceReal()
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

const NOTHING_REAL = { realServiceEverShared: false, realServiceRegistered: false, realServerFoundLocally: false }

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

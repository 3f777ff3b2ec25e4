import type { Clock, MonotonicClock } from '../base/clock.js'
import type { DataFolder } from '../base/data-folder.js'
import type { Service } from '../base/lifecycle.js'
import { VERSION } from '../base/version.js'
import type { Settings } from '../config/index.js'
import type { Log } from '../logging/index.js'
import type { Host, PathLookup } from '../p2p/index.js'
import type { ServiceRegistry } from '../services/index.js'
import { createAxiomExporter } from '../telemetry/axiom/index.js'
import {
  createInterruptedRequests,
  createKeyUsage,
  createMetrics,
  createTrafficFeed,
  createTrafficHistory,
  type KeyUsageBook,
  type Metrics,
  type MetricSources,
  type TrafficFeed,
  type TrafficHistory,
} from '../telemetry/index.js'

export interface ComposedTelemetry {
  traffic: TrafficFeed
  history: TrafficHistory
  metrics: Metrics
  keyUsage: KeyUsageBook
  /** Gives the telemetry what it watches; the services that run between the host and the gateway's listeners. */
  connect(watched: MetricSources & { host: Host; registry: ServiceRegistry; paths: PathLookup }): Service[]
}

/** What a node tells about itself: the traffic feed and its history, Prometheus' figures, and Axiom's events. */
export function composeTelemetry(needs: {
  settings: Settings
  clock: Clock
  monotonic: MonotonicClock
  log: Log
  dataFolder: DataFolder
}): ComposedTelemetry {
  const { settings, clock, log } = needs
  const traffic = createTrafficFeed({ clock, monotonic: needs.monotonic, log })
  const history = createTrafficHistory({ traffic, clock, log }, { file: needs.dataFolder.path('traffic-history.json') })
  const interrupted = createInterruptedRequests(
    { traffic, clock, log },
    { file: needs.dataFolder.path('running-requests.json') },
  )
  let sources: MetricSources | undefined
  const metrics = createMetrics({ traffic, sources: () => sources }, { version: VERSION })
  const token = settings['axiom.token']
  const dataset = settings['axiom.dataset']
  if ((token === '') !== (dataset === ''))
    log.warn('no events go to Axiom: it takes both axiom.token and axiom.dataset')

  return {
    traffic,
    history,
    metrics,
    keyUsage: createKeyUsage({ traffic, clock }),
    connect(watched) {
      sources = watched
      const { host, registry, paths } = watched
      const isOn = token !== '' && dataset !== ''
      const axiom = (): Service =>
        createAxiomExporter(
          { traffic, host, paths, registry, clock, log },
          { token, dataset, url: settings['axiom.url'], version: VERSION },
        )
      return [history, interrupted, metrics, ...(isOn ? [axiom()] : [])]
    },
  }
}

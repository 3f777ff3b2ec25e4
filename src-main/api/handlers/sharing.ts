import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { LedgerSummary } from '#shared/contract/sharing/ledger.js'
import type { Usage } from '#shared/contract/sharing/limits.js'
import type { PauseState } from '#shared/contract/sharing/pause.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { LIMITS, type LimitName } from '#shared/limits.js'
import { describeValue, type SettingsSource } from '../../config/index.js'
import type { Detector } from '../../services/detection/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import { ledgerText, type Ledger } from '../../services/sharing/ledger/index.js'
import type { Pause } from '../../services/sharing/pause/index.js'
import type { Shares } from '../../services/sharing/shares/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'
import { testModel } from '../model-test.js'
import { type KeysNeeds, ownKey } from './keys.js'

/** What the donor's topics read and change. */
export interface SharingNeeds {
  detector: Pick<Detector, 'servers' | 'scan' | 'typeIn' | 'forget' | 'follow'>
  shares: Pick<Shares, 'list' | 'add' | 'setVisibility' | 'remove' | 'wasUpgraded' | 'subscribe'>
  admission: Pick<Admission, 'usage' | 'subscribe'>
  pause: Pick<Pause, 'state' | 'pause' | 'resume' | 'subscribe'>
  ledger: Pick<Ledger, 'summary' | 'rows' | 'subscribe'>
}

type SharingCall = Extract<
  keyof Handlers,
  `${'detection' | 'shares' | 'pause' | 'limits' | 'ledger' | 'test'}.${string}`
>

/** Days an export goes back: all that are kept. */
const ALL_DAYS = 800

/** `detection.*`, `shares.*`, `pause.*`, `limits.*`, `ledger.*` and `test.run`. */
export function createSharingHandlers(
  needs: {
    sharing: SharingNeeds
    settings: Pick<SettingsSource, 'saveAll'>
    gatewayUrl(): string | null
  } & Pick<KeysNeeds, 'apiKeys' | 'isKeyRequired'>,
): Pick<Handlers, SharingCall> {
  const { sharing, settings } = needs
  const { detector, shares, admission, pause, ledger } = sharing
  return {
    'detection.list': () => [...detector.servers()],
    'detection.scan': async () => [...(await detector.scan())],
    'detection.type-in': (target) => detector.typeIn(target),
    'detection.forget': ({ address }) => ({ forgotten: detector.forget(address) }),
    'shares.list': () => [...shares.list()],
    'shares.add': (request) => shares.add(request),
    'shares.setVisibility': ({ id, model, visibility }) => shares.setVisibility(id, model, visibility),
    'shares.remove': ({ id }) => shares.remove(id),
    'pause.get': () => pause.state(),
    'pause.set': (request) => pause.pause(request),
    'pause.resume': () => pause.resume(),
    'limits.get': () => admission.usage(),
    async 'limits.set'(changes) {
      const values = Object.entries(changes).map(([name, value]) => {
        const { setting } = LIMITS[name as LimitName]
        return [setting, describeValue(setting, value) || null]
      })
      const { restartNeeded } = await settings.saveAll(Object.fromEntries(values) as Record<string, string | null>)
      return { restartNeeded, usage: admission.usage() }
    },
    'ledger.summary': () => ledger.summary(),
    'ledger.rows': ({ days }) => ledger.rows(days),
    'ledger.export': ({ format }) => ledgerText(format, { summary: ledger.summary(), rows: ledger.rows(ALL_DAYS) }),
    'test.run': ({ model }) => testModel({ url: needs.gatewayUrl(), key: ownKey(needs) }, model),
  }
}

/** The feeds of the donor's topics. */
export function createSharingFeeds({ detector, shares, admission, pause, ledger }: SharingNeeds): {
  detection: FeedSource<DetectedServer[]>
  shares: FeedSource<ShareView[]>
  pause: FeedSource<PauseState>
  limits: FeedSource<Usage>
  ledger: FeedSource<LedgerSummary>
} {
  return {
    detection: { snapshot: () => [...detector.servers()], subscribe: (listener) => detector.follow(listener) },
    shares: { snapshot: () => [...shares.list()], subscribe: (listener) => shares.subscribe(listener) },
    pause: {
      snapshot: () => pause.state(),
      // How many answers still run is told too.
      subscribe: (listener) => subscribeAll([pause, admission], listener),
    },
    limits: {
      snapshot: () => admission.usage(),
      // What peers were given today stands in it.
      subscribe: (listener) => subscribeAll([admission, ledger], listener),
    },
    ledger: { snapshot: () => ledger.summary(), subscribe: (listener) => ledger.subscribe(listener) },
  }
}

function subscribeAll(
  sources: readonly { subscribe(listener: () => void): () => void }[],
  listener: () => void,
): () => void {
  const stops = sources.map((source) => source.subscribe(listener))
  return () => stops.forEach((stop) => stop())
}

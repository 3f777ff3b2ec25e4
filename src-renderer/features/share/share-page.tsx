import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { ServiceView } from '#shared/contract/sharing/services.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { VISIBILITIES, type Visibility } from '#shared/contract/sharing/visibility.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { DEMO_MODEL } from '../../stores/model-use.js'
import { LEDGER_ITEM } from '../../stores/route.js'
import { sharingState } from '../../stores/sharing-state.js'
import { strings } from '../../strings/all.js'
import { Button } from '../../ui/controls/button.js'
import { FeedView, WhenReady } from '../../ui/feedback/feed-view.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { Icon } from '../../ui/icons/icon.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import { DiskCard } from './disk/disk-card.js'
import { LedgerPage } from './ledger/ledger-page.js'
import { LimitsCard } from './limits/limits-card.js'
import { RulesCard } from './limits/rules-card.js'
import { LiveCard } from './live-card.js'
import { countByVisibility } from './servers/selection.js'
import { AwayCard, ServerCard } from './servers/server-card.js'
import { TypeInCard } from './servers/type-in-card.js'
import { modelsOf, ServiceCard } from './service-card.js'
import styles from './share-page.module.css'
import { sentenceOf, SharingBanner } from './sharing-banner.js'

const { share: words } = strings

/** "What do I give, and who gets it?" `item`: the ledger, where that is wanted. */
export function SharePage({ item }: { item: string | undefined }) {
  return item === LEDGER_ITEM ? <LedgerPage /> : <Sharing />
}

function Sharing() {
  const detection = useFeed('detection')
  const shares = useFeed('shares')
  const services = useFeed('services')
  const pauseState = useFeed('pause')
  const pause = dataOf(pauseState)
  const usage = useFeed('limits')
  const ledger = useFeed('ledger')
  const found = dataOf(detection)
  const shared = dataOf(shares)
  const others = otherServices(dataOf(services) ?? [], shared ?? [])
  const engineId = dataOf(useFeed('engine'))?.serviceId
  // Models run from their files have a card of their own.
  const cards = others.filter(({ id }) => id !== engineId)
  const isAway = useFeed('status').phase === 'lost'
  const state = sharingState({
    shares: shared ?? [],
    pause,
    usage: dataOf(usage),
    others: others.filter(({ published }) => published),
  })

  const sentence = (): string => {
    if (isAway) return strings.offline.title
    if (found === undefined || shared === undefined) return strings.state.loading
    const said = sentenceOf(state)
    if (said !== undefined) return said
    if (shared.length > 0 || others.length > 0) {
      return words.sentence(countByVisibility(usableModels(shared, others)), shared.length + others.length)
    }
    const usable = found.filter((server) => server.models.length > 0).length
    return usable > 0 ? words.found(usable) : words.sentence(countByVisibility([]), 0)
  }
  // A node that is away takes no changes: what was last seen of it stays, and can't be pressed.
  return (
    <Page name={strings.nav.share} sentence={sentence()} actions={!isAway && <ScanAgain />}>
      <WhenReady states={[detection, shares, services, pauseState, usage, ledger]}>
        <fieldset className={styles['all']} disabled={isAway}>
          <SharingBanner state={state} />
          <FeedView state={detection}>
            {(servers) => (
              <>
                {servers.map((server) => (
                  <ServerCard
                    key={server.address}
                    server={server}
                    share={shared?.find((share) => share.address === server.address)}
                    isPaused={state.kind === 'paused'}
                  />
                ))}
                {awayFrom(servers, shared).map((share) => (
                  <AwayCard key={share.id} share={share} />
                ))}
              </>
            )}
          </FeedView>
          {cards.map((service) => (
            <ServiceCard key={service.id} service={service} />
          ))}
          <DiskCard hasServer={found?.length !== 0 || cards.length > 0 || awayFrom(found, shared).length > 0} />
          <TypeInCard />
          {state.kind !== 'nothing' && <LiveCard />}
          <RulesCard />
          <LimitsCard />
          <PrivacyCard />
        </fieldset>
      </WhenReady>
    </Page>
  )
}

/** Services that came from the settings, but for the built-in demo model, which is no one's to share: those that no share stands for. */
function otherServices(services: readonly ServiceView[], shares: readonly ShareView[]): ServiceView[] {
  const ids = new Set(shares.map((share) => share.id))
  return services.filter((service) => !ids.has(service.id) && !isDemo(service))
}

/** The built-in demo model, which steps aside for any real one. */
function isDemo({ published, models }: ServiceView): boolean {
  return !published && models.length > 0 && models.every(({ id }) => id === DEMO_MODEL)
}

/** Shares whose server is not found now. */
function awayFrom(servers: readonly DetectedServer[] = [], shares: readonly ShareView[] = []): ShareView[] {
  return shares.filter((share) => servers.every(({ address }) => address !== share.address))
}

/** What can be used now, each name once and by the most who may use it. */
function usableModels(shares: readonly ShareView[], services: readonly ServiceView[]): { visibility: Visibility }[] {
  const names = [
    ...shares.filter(({ status }) => status === 'connected').flatMap((share) => share.names),
    ...services
      .filter(({ status }) => status === 'connected')
      .flatMap((service) =>
        modelsOf(service).map(({ id, visibility }) => ({
          name: id,
          visibility: service.published ? visibility : ('me' as const),
        })),
      ),
  ]
  const widest = new Map<string, Visibility>()
  for (const { name, visibility } of names) {
    const before = widest.get(name) ?? 'me'
    widest.set(name, VISIBILITIES.indexOf(visibility) > VISIBILITIES.indexOf(before) ? visibility : before)
  }
  return [...widest.values()].map((visibility) => ({ visibility }))
}

/** Scans for servers now. */
function ScanAgain() {
  const client = useClient()
  const { busy, run } = useAction()
  return (
    <Button
      icon="refresh"
      disabled={busy}
      onClick={() => run(() => client.call('detection.scan', {}), strings.share.scanned)}
    >
      {strings.share.scan}
    </Button>
  )
}

/** Who can read what, in plain words. */
function PrivacyCard() {
  return (
    <Card>
      <div className={styles['privacy']}>
        <Icon name="lock" />
        <div>
          <h2>{strings.share.privacy}</h2>
          <p>{strings.share.privacyBody}</p>
        </div>
      </div>
    </Card>
  )
}

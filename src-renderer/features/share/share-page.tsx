import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { ServiceView } from '#shared/contract/sharing/services.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { VISIBILITIES, type Visibility } from '#shared/contract/sharing/visibility.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { Icon } from '../../ui/icons/icon.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import { LimitsCard } from './limits/limits-card.js'
import { RulesCard } from './limits/rules-card.js'
import { LiveCard } from './live-card.js'
import { PauseBar } from './pause-bar.js'
import { countByVisibility } from './servers/selection.js'
import { AwayCard, ServerCard } from './servers/server-card.js'
import { TypeInCard } from './servers/type-in-card.js'
import { modelsOf, ServiceCard } from './service-card.js'
import styles from './share-page.module.css'

const { share: words } = strings

/** "What do I give, and who gets it?" */
export function SharePage() {
  const detection = useFeed('detection')
  const shares = useFeed('shares')
  const services = useFeed('services')
  const pause = dataOf(useFeed('pause'))
  const found = dataOf(detection)
  const shared = dataOf(shares)
  const others = otherServices(dataOf(services) ?? [], shared ?? [])
  const gives = (shared ?? []).some(isForOthers) || others.some((service) => service.published)

  const sentence = (): string => {
    if (found === undefined || shared === undefined) return strings.state.loading
    if (gives && pause?.paused === true) {
      const [first] = pause.reasons
      return first === undefined ? words.pausedSoon : words.paused(first.sentence)
    }
    const servers = shared.length + others.length
    if (shared.length > 0 || gives) return words.sentence(countByVisibility(usableModels(shared, others)), servers)
    const usable = found.filter((server) => server.models.length > 0 || server.state === 'needs-key').length
    return usable > 0 ? words.found(usable) : words.sentence(countByVisibility([]), 0)
  }
  return (
    <Page name={strings.nav.share} sentence={sentence()} actions={<ScanAgain />}>
      {gives && <PauseBar />}
      <FeedView state={detection}>
        {(servers) => (
          <>
            {servers.length === 0 && others.length === 0 && awayFrom(servers, shared).length === 0 && <ServersEmpty />}
            {servers.map((server) => (
              <ServerCard
                key={server.address}
                server={server}
                share={shared?.find((share) => share.address === server.address)}
              />
            ))}
            {awayFrom(servers, shared).map((share) => (
              <AwayCard key={share.id} share={share} />
            ))}
          </>
        )}
      </FeedView>
      {others.map((service) => (
        <ServiceCard key={service.id} service={service} />
      ))}
      <TypeInCard />
      {gives && <LiveCard />}
      <RulesCard />
      <LimitsCard />
      <PrivacyCard />
    </Page>
  )
}

/** Services that came from the settings: those that no share stands for. */
function otherServices(services: readonly ServiceView[], shares: readonly ShareView[]): ServiceView[] {
  const ids = new Set(shares.map((share) => share.id))
  return services.filter((service) => !ids.has(service.id))
}

/** Whether peers may use something of it. */
function isForOthers({ models, visibility, choices }: ShareView): boolean {
  const isOpen = choices.some((choice) => choice.ticked && choice.visibility !== 'me')
  return isOpen || (models === 'all' && visibility !== 'me')
}

/** Shares whose server is not found now. */
function awayFrom(servers: readonly DetectedServer[], shares: readonly ShareView[] = []): ShareView[] {
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

/** No server runs: what to do. */
function ServersEmpty() {
  return (
    <Card>
      <Empty icon="server" title={strings.share.none}>
        <p>{strings.share.noneHint}</p>
        <p className={styles['hint']}>{strings.share.ports}</p>
      </Empty>
    </Card>
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

import type { ServiceView } from '#shared/contract/services.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Badge, type Tone } from '../../ui/badge.js'
import { Card } from '../../ui/card.js'
import { CodeBlock } from '../../ui/code-block.js'
import { Empty } from '../../ui/empty.js'
import { FeedView } from '../../ui/feed-view.js'
import { Icon } from '../../ui/icon.js'
import { Page } from '../../ui/page.js'
import styles from './share-page.module.css'

const { share: words } = strings

/** "What do I give, and who gets it?" */
export function SharePage() {
  const state = useFeed('services')
  const services = dataOf(state)
  return (
    <Page name={strings.nav.share} sentence={services === undefined ? strings.state.loading : sentenceFor(services)}>
      <FeedView state={state}>
        {(list) => (
          <>
            {list.map((service) => (
              <ServiceCard key={service.id} service={service} />
            ))}
            {list.every((service) => !service.published) && <HowToShare none={list.length === 0} />}
          </>
        )}
      </FeedView>
      <Card>
        <div className={styles['privacy']}>
          <Icon name="lock" />
          <div>
            <h2>{words.privacy}</h2>
            <p>{words.privacyBody}</p>
          </div>
        </div>
      </Card>
    </Page>
  )
}

function sentenceFor(services: readonly ServiceView[]): string {
  const shared = services.filter((service) => service.published && service.status === 'connected')
  const models = new Set(shared.flatMap((service) => modelsOf(service).map((model) => model.id)))
  return words.sentence(models.size, shared.length)
}

/** Models that requests are routed to; the server may list more than its owner shares. */
function modelsOf(service: ServiceView): ServiceView['models'] {
  return service.models.filter((model) => service.identityGroups.includes(`model=${model.id}`))
}

const TONES: Record<ServiceView['status'], Tone> = { connected: 'good', starting: 'warn', down: 'bad' }

function ServiceCard({ service }: { service: ServiceView }) {
  const models = modelsOf(service)
  const badges = (
    <span className={styles['badges']}>
      <Badge tone={TONES[service.status]}>{words.status[service.status]}</Badge>
      <Badge tone={service.published ? 'accent' : 'neutral'}>
        {service.published ? words.published : words.notPublished}
      </Badge>
    </span>
  )
  return (
    <Card title={`${service.name} · ${service.address}`} aside={badges}>
      {service.problem !== null && <p className={styles['problem']}>{service.problem}</p>}
      <dl className={styles['facts']}>
        <dt>{words.models}</dt>
        <dd className={styles['models']}>
          {models.length === 0 && (service.status === 'connected' ? words.noModels : strings.unknown)}
          {models.map((model) => (
            <span key={model.id} className={styles['model']}>
              <code>{model.id}</code>
              {model.contextLength !== undefined && <small>{strings.models.context(model.contextLength)}</small>}
            </span>
          ))}
        </dd>
        {service.published && (
          <>
            <dt>{words.paths}</dt>
            <dd>
              <details>
                <summary>{service.sharedPaths.slice(0, 2).join(', ')}</summary>
                <ul>
                  {service.sharedPaths.map((path) => (
                    <li key={path}>
                      <code>{path}</code>
                    </li>
                  ))}
                </ul>
              </details>
            </dd>
          </>
        )}
      </dl>
    </Card>
  )
}

function HowToShare({ none }: { none: boolean }) {
  return (
    <Card title={words.how}>
      {none && <Empty icon="server" title={words.none} />}
      <p className={styles['hint']}>{words.noneHint}</p>
      <CodeBlock code={words.example} label={words.how} />
      <p className={styles['hint']}>{words.ports}</p>
    </Card>
  )
}

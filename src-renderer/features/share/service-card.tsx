import type { ServiceView } from '#shared/contract/sharing/services.js'
import { strings } from '../../strings/all.js'
import { Notice } from '../../ui/feedback/notice.js'
import { Card } from '../../ui/layout/card.js'
import { Facts } from '../../ui/layout/facts.js'
import { Badge, type Tone } from '../../ui/text/badge.js'
import styles from './share-page.module.css'

const { share: words } = strings
const TONES: Record<ServiceView['status'], Tone> = { connected: 'good', starting: 'warn', down: 'warn' }

/** A service that was given by flag or settings file. */
export function ServiceCard({ service }: { service: ServiceView }) {
  const badges = (
    <span className={styles['badges']}>
      <Badge tone={TONES[service.status]}>{words.status[service.status]}</Badge>
      {/* What does not answer is offered to no one, whatever is wanted. */}
      {service.status === 'connected' && (
        <Badge tone={service.published ? 'accent' : 'neutral'}>
          {service.published ? words.published : words.notPublished}
        </Badge>
      )}
    </span>
  )
  const facts = [{ name: words.models, value: <Models service={service} /> }]
  if (service.published) facts.push({ name: words.paths, value: <Paths paths={service.sharedPaths} /> })
  return (
    <Card title={`${service.name} · ${service.address}`} aside={badges}>
      {service.problem !== null && (
        <div className={styles['problem']}>
          <Notice tone="warn">{service.problem}</Notice>
        </div>
      )}
      <Facts facts={facts} />
    </Card>
  )
}

function Models({ service }: { service: ServiceView }) {
  const models = modelsOf(service)
  if (models.length === 0) return service.status === 'connected' ? words.noModels : strings.unknown
  return (
    <span className={styles['models']}>
      {models.map((model) => (
        <span key={model.id} className={styles['model']}>
          <code>{model.id}</code>
          {model.contextLength !== undefined && <small>{strings.models.context(model.contextLength)}</small>}
        </span>
      ))}
    </span>
  )
}

function Paths({ paths }: { paths: readonly string[] }) {
  return (
    <details>
      <summary>{paths.slice(0, 2).join(', ')}</summary>
      <ul>
        {paths.map((path) => (
          <li key={path}>
            <code>{path}</code>
          </li>
        ))}
      </ul>
    </details>
  )
}

/** Models that requests are routed to; the server may list more than its owner shares. */
export function modelsOf(service: ServiceView): ServiceView['models'] {
  return service.models.filter((model) => service.identityGroups.includes(`model=${model.id}`))
}

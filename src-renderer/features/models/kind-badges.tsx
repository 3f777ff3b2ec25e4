import type { ModelView } from '#shared/contract/models/models.js'
import { strings } from '../../strings.js'
import { Badge } from '../../ui/text/badge.js'
import styles from './models-page.module.css'

const { models: words } = strings

/** What a model is for, and what it can do besides: only what its server told. */
export function KindBadges({ model: { kind, capabilities = [] } }: { model: ModelView }) {
  // What one looks for first comes first: a model that sees is rarer than one that calls tools.
  const sorted = capabilities.toSorted((a, b) => Number(b === 'vision') - Number(a === 'vision'))
  const names = [kind ?? '', ...sorted].flatMap((name) => words.kind[name] ?? [])
  if (names.length === 0 && kind === 'chat') names.push(words.chat)
  if (names.length === 0) return strings.unknown
  return (
    <span className={styles['kinds']} title={names.join(', ')}>
      {names.map((name) => (
        <Badge key={name}>{name}</Badge>
      ))}
    </span>
  )
}

import type { Check } from '#shared/contract/node/doctor.js'
import { strings } from '../../strings/all.js'
import { Badge, type Tone } from '../../ui/text/badge.js'
import { Words } from '../../ui/text/words.js'
import { sortChecks } from './doctor-report.js'
import styles from './doctor.module.css'

const { doctor: words } = strings
const TONES: Readonly<Record<Check['state'], Tone>> = { ok: 'good', warn: 'warn', bad: 'bad', unknown: 'neutral' }

/** What the doctor found: fact, meaning, what to do. */
export function CheckList({ checks }: { checks: readonly Check[] }) {
  return (
    <ul className={styles['checks']}>
      {sortChecks(checks).map((check) => (
        <CheckLine key={check.id} check={check} />
      ))}
    </ul>
  )
}

/** What a check came to, in a word. */
export function StateBadge({ state }: { state: Check['state'] }) {
  return <Badge tone={TONES[state]}>{words.state[state]}</Badge>
}

function CheckLine({ check: { state, fact, meaning, fix } }: { check: Check }) {
  return (
    <li className={styles['check']}>
      <span className={styles['state']}>
        <StateBadge state={state} />
      </span>
      <div>
        <p className={styles['fact']}>
          <Words text={fact} />
        </p>
        <p className={styles['meaning']}>
          <Words text={meaning} />
        </p>
        {fix !== '' && (
          <p>
            <strong>{words.fix}:</strong> <Words text={fix} />
          </p>
        )}
      </div>
    </li>
  )
}

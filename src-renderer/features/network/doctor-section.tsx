import { useState } from 'react'
import type { Check, DoctorReport } from '#shared/contract/doctor.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Badge, type Tone } from '../../ui/badge.js'
import { Button } from '../../ui/button.js'
import { CopyButton } from '../../ui/copy-button.js'
import { useAction } from '../../ui/use-action.js'
import { Words } from '../../ui/words.js'
import { reportText, sortChecks, summaryOf } from './doctor-report.js'
import styles from './doctor-section.module.css'

const { doctor: words } = strings

/** Runs the doctor, for this node or for the way to one peer, and shows what it found. */
export function DoctorSection({ peerId }: { peerId?: string }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [report, setReport] = useState<DoctorReport>()
  const version = dataOf(useFeed('status'))?.version ?? ''
  const look = async (): Promise<void> => {
    setReport(await (peerId === undefined ? client.call('doctor.run', {}) : client.call('doctor.peer', { peerId })))
  }
  const first = peerId === undefined ? words.run : words.runPeer
  return (
    <div className={styles['section']}>
      <div className={styles['head']}>
        <p role="status" className={styles['hint']}>
          {busy ? words.running : report === undefined ? hintFor(peerId) : summaryOf(report)}
        </p>
        {report !== undefined && <CopyButton text={reportText(report, version)} label={words.copy} />}
        <Button icon="wrench" disabled={busy} onClick={() => run(look)}>
          {report === undefined ? first : words.again}
        </Button>
      </div>
      {report !== undefined && (
        <ul className={styles['checks']}>
          {sortChecks(report.checks).map((check) => (
            <CheckLine key={check.id} check={check} />
          ))}
        </ul>
      )}
    </div>
  )
}

function hintFor(peerId: string | undefined): string {
  return peerId === undefined ? words.hint : words.peerHint
}

const TONES: Readonly<Record<Check['state'], Tone>> = { ok: 'good', warn: 'warn', bad: 'bad', unknown: 'neutral' }

function CheckLine({ check: { state, fact, meaning, fix } }: { check: Check }) {
  return (
    <li className={styles['check']}>
      <span className={styles['state']}>
        <Badge tone={TONES[state]}>{words.state[state]}</Badge>
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

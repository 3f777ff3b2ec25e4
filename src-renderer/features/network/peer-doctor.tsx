import { useState } from 'react'
import type { DoctorReport } from '#shared/contract/node/doctor.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings/all.js'
import { Button } from '../../ui/controls/button.js'
import { CopyButton } from '../../ui/controls/copy-button.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { CheckList } from './check-list.js'
import { reportText, summaryOf } from './doctor-report.js'
import styles from './doctor.module.css'

const { doctor: words } = strings

/** Tries every way to one peer when it is asked to, and shows where it breaks. */
export function PeerDoctor({ peerId }: { peerId: string }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [report, setReport] = useState<DoctorReport>()
  const version = dataOf(useFeed('status'))?.version ?? ''
  const look = async (): Promise<void> => setReport(await client.call('doctor.peer', { peerId }))
  return (
    <div className={styles['section']}>
      <div className={styles['head']}>
        <p role="status" className={styles['hint']}>
          {busy ? words.running : report === undefined ? words.peerHint : summaryOf(report.checks)}
        </p>
        {report !== undefined && <CopyButton text={reportText(report, version)} label={words.copy} />}
        <Button icon="wrench" disabled={busy} onClick={() => run(look)}>
          {report === undefined ? words.runPeer : words.again}
        </Button>
      </div>
      {busy && <progress className={styles['progress']} aria-label={words.running} />}
      {report !== undefined && <CheckList checks={report.checks} />}
    </div>
  )
}

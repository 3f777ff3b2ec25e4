import { useEffect, useRef, useState } from 'react'
import type { Check, DoctorState } from '#shared/contract/node/doctor.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings/all.js'
import { Button } from '../../ui/controls/button.js'
import { CopyButton } from '../../ui/controls/copy-button.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { toast } from '../../ui/feedback/toasts.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { Card } from '../../ui/layout/card.js'
import { TimeAgo } from '../../ui/text/time-ago.js'
import { useNow } from '../../ui/text/use-now.js'
import { Words } from '../../ui/text/words.js'
import { CheckList, StateBadge } from './check-list.js'
import { inShort, reportText, summaryOf } from './doctor-report.js'
import styles from './doctor.module.css'

const { doctor: words } = strings

/** How this node is reached, as it changes; peers dial it when a person asks for it. `isWanted`: somebody came for this. */
export function DoctorCard({ isWanted }: { isWanted: boolean }) {
  const state = useFeed('doctor')
  const place = useRef<HTMLDivElement>(null)
  const hasData = dataOf(state) !== undefined
  useEffect(() => {
    if (!isWanted || !hasData) return
    place.current?.scrollIntoView({ block: 'start' })
    place.current?.focus({ preventScroll: true })
  }, [isWanted, hasData])
  return (
    <div ref={place} tabIndex={-1} className={styles['place']}>
      <Card title={words.title}>
        <FeedView state={state}>{(found) => <Findings found={found} isWanted={isWanted} />}</FeedView>
      </Card>
    </div>
  )
}

function Findings({ found: { checks, asking, askedAtMs }, isWanted }: { found: DoctorState; isWanted: boolean }) {
  const client = useClient()
  const { busy, run } = useAction()
  const status = dataOf(useFeed('status'))
  const nowMs = useNow()
  const isAsking = busy || asking !== null
  const test = async (): Promise<void> => {
    const { checks: results } = await client.call('doctor.run', {})
    const reachable = results.find(({ id }) => id === 'reachable')
    if (reachable?.state === 'unknown') toast('bad', words.noneAsked(reachable.fact))
    else toast('good', words.asked)
  }
  const report = { atMs: nowMs, peerId: status?.peerId ?? '', checks }
  return (
    <>
      <div className={styles['head']}>
        <div className={styles['hint']}>
          <p role="status" className={styles['summary']}>
            {summaryOf(checks)}
          </p>
          <p>
            {isAsking ? (
              words.asking(asking)
            ) : askedAtMs === null ? (
              words.neverAsked
            ) : (
              <>
                {words.lastAnswer} <TimeAgo atMs={askedAtMs} />.
              </>
            )}
          </p>
        </div>
        <CopyButton text={reportText(report, status?.version ?? '')} label={words.copy} />
        <Button icon="wrench" disabled={isAsking} onClick={() => run(test)}>
          {words.run}
        </Button>
      </div>
      {isAsking && (
        <progress
          className={styles['progress']}
          aria-label={words.asking(asking)}
          {...(asking === null || asking.total === 0 ? {} : { value: asking.done, max: asking.total })}
        />
      )}
      <InShort checks={checks} />
      <Details checks={checks} isOpenAtFirst={isWanted || checks.some(({ state }) => state === 'bad')} />
    </>
  )
}

/** Whether one can be reached, whether one reaches others, and what to do first. */
function InShort({ checks }: { checks: readonly Check[] }) {
  const { reached, reaches, todo } = inShort(checks)
  return (
    <dl className={styles['short']}>
      <Line name={words.short.reached.title} state={reached} sentence={words.short.reached[reached]} />
      <Line name={words.short.reaches.title} state={reaches} sentence={words.short.reaches[reaches]} />
      <div className={styles['check']}>
        <dt>{words.fix}</dt>
        <dd>{todo === undefined ? words.short.nothing : <Words text={todo} />}</dd>
      </div>
    </dl>
  )
}

function Line({ name, state, sentence }: { name: string; state: Check['state']; sentence: string }) {
  return (
    <div className={styles['check']}>
      <dt>{name}</dt>
      <dd>
        <StateBadge state={state} /> {sentence}
      </dd>
    </div>
  )
}

/** Every check, on demand; what is broken is shown at once. */
function Details({ checks, isOpenAtFirst }: { checks: readonly Check[]; isOpenAtFirst: boolean }) {
  const [isOpen, setOpen] = useState<boolean>()
  return (
    <details
      className={styles['details']}
      open={isOpen ?? isOpenAtFirst}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>{words.short.all(checks.length)}</summary>
      <CheckList checks={checks} />
    </details>
  )
}

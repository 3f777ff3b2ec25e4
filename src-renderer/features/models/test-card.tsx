import { useState } from 'react'
import type { ModelTest } from '#shared/contract/models/model-test.js'
import { useClient } from '../../stores/hooks.js'
import { formatMs } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Waterfall } from '../../ui/charts/waterfall.js'
import { Button } from '../../ui/controls/button.js'
import { Notice } from '../../ui/feedback/notice.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { Card } from '../../ui/layout/card.js'
import { PeerName } from '../../ui/text/peer-name.js'
import styles from './providers-card.module.css'

const { test: words, by } = strings.models

/** One real request of one token, with the time of each leg. */
export function TestCard({ model }: { model: string }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [result, setResult] = useState<ModelTest>()
  const test = async (): Promise<void> => setResult(await client.call('test.run', { model }))
  return (
    <Card
      title={words.title}
      aside={
        <Button icon="play" disabled={busy} onClick={() => run(test)}>
          {words.run}
        </Button>
      }
    >
      {busy && <p role="status">{words.running}</p>}
      {!busy && result === undefined && <p className={styles['hint']}>{words.hint}</p>}
      {!busy && result !== undefined && <Result result={result} />}
    </Card>
  )
}

function Result({ result }: { result: ModelTest }) {
  const { ok, error, answeredBy, firstTokenMs, totalMs, legs } = result
  let startMs = 0
  const bars = legs.map(({ name, ms }) => {
    const bar = { label: words.legs[name] ?? name, startMs, durationMs: ms, tone: 'series' as const }
    startMs += ms
    return bar
  })
  // What the gateway did not time: the server had begun to answer, and the first token was still to come.
  const untilToken = (firstTokenMs ?? totalMs) - startMs
  if (untilToken >= 1) {
    bars.push({ label: words.untilToken, startMs, durationMs: untilToken, tone: 'series' })
    startMs += untilToken
  }
  if (totalMs - startMs >= 1) {
    bars.push({ label: words.untilEnd, startMs, durationMs: totalMs - startMs, tone: 'series' })
  }
  return (
    <>
      <Notice tone={ok ? 'good' : 'bad'} title={ok ? words.worked(formatMs(firstTokenMs ?? totalMs)) : words.failed}>
        {error !== null && `${error.message} ${strings.offline.code(error.code)}`}
        {answeredBy !== null && (
          <>
            {by} <PeerName peerId={answeredBy} />
          </>
        )}
      </Notice>
      <Waterfall
        label={words.title}
        totalMs={Math.max(totalMs, startMs)}
        bars={[...bars, { label: words.total, startMs: 0, durationMs: totalMs, tone: 'whole' }]}
      />
    </>
  )
}

import type { PauseState } from '#shared/contract/sharing/pause.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { formatClock } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { Notice } from '../../ui/feedback/notice.js'
import { useAction } from '../../ui/feedback/use-action.js'
import styles from './share-page.module.css'

const { share: words } = strings

/** Whether sharing is paused and why, and the buttons that change it. */
export function PauseBar() {
  const pause = dataOf(useFeed('pause'))
  const client = useClient()
  const { busy, run } = useAction()
  if (pause === undefined) return null
  if (!pause.paused) {
    return (
      <div className={styles['pauses']} role="group" aria-label={words.pauseTitle}>
        {Object.entries(words.pauseFor).map(([key, { title, ms }]) => (
          <Button
            key={key}
            icon="pause"
            disabled={busy}
            onClick={() => run(() => client.call('pause.set', { forMs: ms }), words.pausedDone)}
          >
            {title}
          </Button>
        ))}
      </div>
    )
  }
  const byHand = pause.reasons.some(({ cause }) => cause === 'manual')
  return (
    <Notice
      tone="warn"
      title={reasonsOf(pause)}
      actions={
        byHand && (
          <Button
            icon="play"
            disabled={busy}
            onClick={() => run(() => client.call('pause.resume', {}), words.resumedDone)}
          >
            {words.resume}
          </Button>
        )
      }
    >
      {pause.running > 0 && words.stillRunning(pause.running)}
    </Notice>
  )
}

function reasonsOf({ reasons }: PauseState): string {
  const texts = reasons.map(({ sentence, untilMs }) => {
    const until = untilMs === null || sentence.includes('until') ? '' : ` ${words.until(formatClock(untilMs))}`
    return `${sentence}${until}`
  })
  return texts.length === 0 ? words.pausedSoon : words.paused(texts.join('; '))
}

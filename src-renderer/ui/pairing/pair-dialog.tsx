import type { Pairing } from '#shared/contract/people/pairing.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { Dialog } from '../controls/dialog.js'
import { Notice } from '../feedback/notice.js'
import { useAction } from '../feedback/use-action.js'
import { useNow } from '../text/use-now.js'
import { NodeNearby, nodeName } from './node-nearby.js'
import styles from './pairing.module.css'

const words = strings.pairing

/** One pairing: the code to compare, and what came of it. Closing it before that refuses. */
export function PairDialog({
  started,
  onAgain,
  onClose,
}: {
  /** As it was when the dialog was opened. */
  started: Pairing
  /** Asks once more; absent where the other side asked. */
  onAgain?: () => void
  onClose: () => void
}) {
  const client = useClient()
  const { busy, run } = useAction()
  const known = dataOf(useFeed('pairings'))?.find(({ peerId }) => peerId === started.peerId)
  // The feed may be a moment behind, with an earlier pairing.
  const pairing = known !== undefined && known.sinceMs >= started.sinceMs ? known : started
  const { peerId: peer, code } = pairing
  const end = (differ: boolean): void => run(() => client.call('people.refusePairing', { peer, differ }))
  const close = (): void => {
    if (pairing.state !== 'over') end(false)
    onClose()
  }
  return (
    <Dialog title={words.title(nodeName(pairing))} onClose={close}>
      <div className={styles['pairing']}>
        <NodeNearby node={pairing} />
        {pairing.state === 'reaching' && <Progress />}
        {code !== null && <Code pairing={pairing} code={code} />}
        {pairing.state === 'over' && <Ending pairing={pairing} onAgain={onAgain} onClose={onClose} />}
        {pairing.state !== 'over' && (
          <div className={styles['buttons']}>
            {pairing.state === 'compare' && code !== null && (
              <>
                <Button
                  primary
                  icon="check"
                  disabled={busy}
                  onClick={() => run(() => client.call('people.confirmPairing', { peer, code }))}
                >
                  {words.match}
                </Button>
                <Button icon="alert" disabled={busy} onClick={() => end(true)}>
                  {words.differ}
                </Button>
              </>
            )}
            <Button onClick={close}>{words.cancel}</Button>
          </div>
        )}
      </div>
    </Dialog>
  )
}

function Progress() {
  return (
    <p role="status" className={styles['soft']}>
      {words.reaching}
    </p>
  )
}

function Code({ pairing: { state, theyConfirmed, untilMs }, code }: { pairing: Pairing; code: string }) {
  const isWaiting = state === 'waiting'
  return (
    <>
      <div role="status">
        <p className={styles['question']}>{isWaiting ? words.waiting : words.compare}</p>
        <p className={styles['code']}>
          <span aria-hidden="true">{code}</span>
          <span className="visually-hidden">{words.spoken(code.replaceAll(' ', '').split('').join(' '))}</span>
        </p>
        {theyConfirmed && <p>{words.theyConfirmed}</p>}
      </div>
      {untilMs !== null && <TimeLeft untilMs={untilMs} />}
      {!isWaiting && (
        <>
          <p className={styles['soft']}>{words.compareHelp}</p>
          <p className={styles['soft']}>{words.differHelp}</p>
        </>
      )}
    </>
  )
}

function TimeLeft({ untilMs }: { untilMs: number }) {
  const seconds = Math.max(0, Math.ceil((untilMs - useNow()) / 1000))
  return (
    <p role="timer" className={styles['soft']}>
      {words.left(Math.floor(seconds / 60), String(seconds % 60).padStart(2, '0'))}
    </p>
  )
}

function Ending({
  pairing: { ending, sentence },
  onAgain,
  onClose,
}: {
  pairing: Pairing
  onAgain: (() => void) | undefined
  onClose: () => void
}) {
  const isGood = ending === 'trusted'
  return (
    <div role="status">
      <Notice
        tone={isGood ? 'good' : 'warn'}
        actions={
          <>
            {!isGood && onAgain !== undefined && <Button onClick={onAgain}>{words.again}</Button>}
            <Button onClick={onClose}>{words.close}</Button>
          </>
        }
      >
        {sentence}{' '}
        {isGood && (
          <a href={linkTo('models')} onClick={onClose}>
            {words.models}
          </a>
        )}
      </Notice>
    </div>
  )
}

import type { ReactNode } from 'react'
import { AppError } from '#shared/errors.js'
import type { FeedState } from '../../stores/feed-store.js'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { Card } from '../layout/card.js'
import { Empty } from './empty.js'
import styles from './feed-view.module.css'

/** Shows data when it is there, and what is the matter when it is not. The offline banner speaks for lost live data. */
export function FeedView<T>({
  state,
  onRetry,
  children,
}: {
  state: FeedState<T>
  onRetry?: () => void
  children: (data: T) => ReactNode
}) {
  if (state.phase === 'loading') return <Skeleton />
  if (state.data !== undefined) return children(state.data)
  return (
    <Card>
      <Empty icon="alert" title={strings.state.failed}>
        <p>{state.phase === 'lost' ? state.error.message : ''}</p>
        {state.phase === 'lost' && state.error instanceof AppError && <p>{strings.offline.code(state.error.code)}</p>}
        {onRetry !== undefined && <Button onClick={onRetry}>{strings.state.retry}</Button>}
      </Empty>
    </Card>
  )
}

/** Shows a page once all that decides where things stand is known: what comes later would push the rest about. */
export function WhenReady({ states, children }: { states: readonly FeedState<unknown>[]; children: ReactNode }) {
  return states.some(({ phase }) => phase === 'loading') ? <Skeleton /> : children
}

/** Grey bars; they appear only when loading takes longer than 300 ms. */
export function Skeleton() {
  return (
    <div className={styles['skeleton']} role="status" aria-label={strings.state.loading}>
      <span className={styles['bar']} />
      <span className={styles['bar']} />
      <span className={styles['bar']} />
    </div>
  )
}

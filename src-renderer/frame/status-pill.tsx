import { dataOf } from '../stores/feed-store.js'
import { useFeed } from '../stores/hooks.js'
import { linkTo, type PageName } from '../stores/route.js'
import { strings } from '../strings.js'
import { useNow } from '../ui/text/use-now.js'
import { Visible } from '../ui/text/visible.js'
import { pillState, type PillState } from './pill-state.js'
import styles from './status-pill.module.css'

/** What the pill says now. */
function usePill(): PillState {
  const shares = dataOf(useFeed('shares'))
  return pillState(useFeed('status'), shares, useNow())
}

/** Marks the page in the rail on which something wants a look; the pill has the words for it. */
export function RailMark({ page }: { page: PageName }) {
  const pill = usePill()
  const isWanted = (pill.tone === 'warn' || pill.tone === 'bad') && pill.page === page
  return isWanted && <span className={`${styles['mark'] ?? ''} ${styles[pill.tone] ?? ''}`} aria-hidden="true" />
}

/** The state of the node in one line, always visible. */
export function StatusPill() {
  const { tone, sentence, page, item } = usePill()
  return (
    <a className={styles['pill']} href={linkTo(page, item)} aria-label={strings.pill.label(sentence)}>
      <span className={`${styles['dot'] ?? ''} ${styles[tone] ?? ''}`} />
      <span className={styles['sentence']} title={sentence}>
        <Visible text={sentence} />
      </span>
    </a>
  )
}

import { useFeed } from '../stores/hooks.js'
import { linkTo } from '../stores/route.js'
import { strings } from '../strings.js'
import { pillState } from './pill-state.js'
import styles from './status-pill.module.css'

/** The state of the node in one line, always visible. */
export function StatusPill() {
  const { tone, sentence, page, item } = pillState(useFeed('status'))
  return (
    <a className={styles['pill']} href={linkTo(page, item)} aria-label={strings.pill.label(sentence)}>
      <span className={`${styles['dot'] ?? ''} ${styles[tone] ?? ''}`} />
      <span className={styles['sentence']} title={sentence}>
        {sentence}
      </span>
    </a>
  )
}

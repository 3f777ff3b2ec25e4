import { AppError } from '#shared/errors.js'
import { useFeed } from '../stores/hooks.js'
import { strings } from '../strings.js'
import { Icon } from '../ui/icons/icon.js'
import { Words } from '../ui/text/words.js'
import styles from './offline-banner.module.css'

/** Says that the node does not answer, while it does not. */
export function OfflineBanner() {
  const state = useFeed('status')
  if (state.phase !== 'lost') return null
  const code = state.error instanceof AppError ? state.error.code : undefined
  return (
    <div className={styles['banner']} role="alert">
      <Icon name="alert" />
      <div>
        <strong>{strings.offline.title}</strong>
        <p>
          <Words text={strings.offline.body} /> {code !== undefined && <code>{strings.offline.code(code)}</code>}
        </p>
      </div>
    </div>
  )
}

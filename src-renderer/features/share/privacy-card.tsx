import { strings } from '../../strings.js'
import { Card } from '../../ui/layout/card.js'
import { Icon } from '../../ui/icons/icon.js'
import styles from './share-page.module.css'

/** Who can read what, in plain words. */
export function PrivacyCard() {
  return (
    <Card>
      <div className={styles['privacy']}>
        <Icon name="lock" />
        <div>
          <h2>{strings.share.privacy}</h2>
          <p>{strings.share.privacyBody}</p>
        </div>
      </div>
    </Card>
  )
}

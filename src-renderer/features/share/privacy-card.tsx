import { strings } from '../../strings.js'
import { Card } from '../../ui/card.js'
import { Icon } from '../../ui/icon.js'
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

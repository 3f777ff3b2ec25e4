import { strings } from '../../strings.js'
import { Card } from '../../ui/layout/card.js'
import { Empty } from '../../ui/feedback/empty.js'
import styles from './share-page.module.css'

/** No server runs: what to do. */
export function ServersEmpty() {
  return (
    <Card>
      <Empty icon="server" title={strings.share.none}>
        <p>{strings.share.noneHint}</p>
        <p className={styles['hint']}>{strings.share.ports}</p>
      </Empty>
    </Card>
  )
}

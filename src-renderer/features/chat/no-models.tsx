import { linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Empty } from '../../ui/feedback/empty.js'
import styles from './no-models.module.css'

const { chat: words } = strings

/** What stands in place of a conversation while there is no one to talk to, and where to find someone. */
export function NoModels({ isLoading }: { isLoading: boolean }) {
  return (
    <div className={styles['middle']}>
      {isLoading ? (
        <p>{strings.state.loading}</p>
      ) : (
        <Empty icon="chat" title={words.noModels}>
          <p>{words.noModelsHint}</p>
          <p className={styles['ways']}>
            <a href={linkTo('share')}>{words.noModelsHere}</a>
            <a href={linkTo('network')}>{words.noModelsElsewhere}</a>
          </p>
        </Empty>
      )}
    </div>
  )
}

import { useState } from 'react'
import type { Status } from '#shared/contract/node/node.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { Icon } from '../../ui/icons/icon.js'
import { Card } from '../../ui/layout/card.js'
import styles from './first-run-card.module.css'

const { first: words } = strings.home
const KEY = 'ocf-first-run'

/** The two ways to begin, until something is shared or the person does not want to see it. */
export function FirstRunCard({ status }: { status: Status }) {
  const [hidden, setHidden] = useState(() => localStorage.getItem(KEY) === 'hidden')
  const found = dataOf(useFeed('detection'))?.find((server) => server.models.length > 0)
  if (hidden || status.models.shared > 0) return null
  const hide = (): void => {
    localStorage.setItem(KEY, 'hidden')
    setHidden(true)
  }
  return (
    <Card title={words.title} aside={<Button onClick={hide}>{words.hide}</Button>}>
      <div className={styles['ways']}>
        <div className={styles['way']}>
          <Icon name="share" size={22} />
          <h3>{words.share}</h3>
          <p>{found === undefined ? words.shareText : words.shareFound(found.name, found.models.length)}</p>
          <a className={styles['primary']} href={linkTo('share')}>
            {words.shareAction}
          </a>
        </div>
        <div className={styles['way']}>
          <Icon name="models" size={22} />
          <h3>{words.use}</h3>
          <p>{words.useText}</p>
          <a className={styles['other']} href={linkTo('models')}>
            {words.useAction}
          </a>
        </div>
      </div>
    </Card>
  )
}

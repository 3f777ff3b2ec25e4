import { useState } from 'react'
import type { Status } from '#shared/contract/node/node.js'
import { dataOf } from '../stores/feed-store.js'
import { useFeed } from '../stores/hooks.js'
import { linkTo } from '../stores/route.js'
import { strings } from '../strings.js'
import { Button } from '../ui/controls/button.js'
import { Notice } from '../ui/feedback/notice.js'
import styles from './notices-banner.module.css'

const KEY = 'ocf-notices-read'

/** What the person should know once, on every page until it was read. */
export function NoticesBanner() {
  const notices = dataOf(useFeed('status'))?.notices ?? []
  return notices.map((notice) => <OneNotice key={notice.id} notice={notice} />)
}

function OneNotice({ notice: { id, sentence } }: { notice: NonNullable<Status['notices']>[number] }) {
  const [read, setRead] = useState(readNotices)
  if (read.includes(id)) return null
  const hide = (): void => {
    const all = [...readNotices(), id]
    localStorage.setItem(KEY, all.join(' '))
    setRead(all)
  }
  return (
    <div className={styles['banner']}>
      <Notice tone="neutral" actions={<Button onClick={hide}>{strings.notices.read}</Button>}>
        {sentence} <a href={linkTo('share')}>{strings.notices.choose}</a>
      </Notice>
    </div>
  )
}

const readNotices = (): string[] => (localStorage.getItem(KEY) ?? '').split(' ').filter((id) => id !== '')

import { useState } from 'react'
import type { Status } from '#shared/contract/node/node.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { INVITE_ITEM, linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { Segmented } from '../../ui/controls/segmented.js'
import { Icon } from '../../ui/icons/icon.js'
import { JoinForm } from '../../ui/join/join-card.js'
import { Card } from '../../ui/layout/card.js'
import { NearbyList } from '../../ui/pairing/nearby-list.js'
import styles from './first-run-card.module.css'
import { PublicNetworks } from './public-networks.js'
import { StrangersQuestion } from './strangers-question.js'

const { first: words } = strings.home
const KEY = 'ocf-first-run'

/** Whether the card is still wanted, and the end of it; kept in this browser. */
export function useFirstRun(status: Status | undefined): { isShown: boolean; hide: () => void } {
  const [hidden, setHidden] = useState(() => localStorage.getItem(KEY) === 'hidden')
  const hide = (): void => {
    localStorage.setItem(KEY, 'hidden')
    setHidden(true)
  }
  return { isShown: !hidden && status !== undefined && status.models.shared === 0, hide }
}

/** The two questions at the beginning: whom to meet, and whether strangers may answer. Both can be answered later and otherwise. */
export function FirstRunCard({ status, onHide }: { status: Status; onHide: () => void }) {
  const found = dataOf(useFeed('detection'))?.find((server) => server.models.length > 0)
  return (
    <Card title={words.title} aside={<Button onClick={onHide}>{words.hide}</Button>}>
      <div className={styles['ways']}>
        <div className={styles['way']}>
          <Icon name="people" size={22} />
          <h3>{words.meet}</h3>
          <Meet status={status} />
          <StrangersQuestion />
        </div>
        <div className={styles['way']}>
          <Icon name="share" size={22} />
          <h3>{words.share}</h3>
          <p>{found === undefined ? words.shareText : words.shareFound(found.name, found.models.length)}</p>
          <a className={styles['primary']} href={linkTo('share')}>
            {words.shareAction}
          </a>
        </div>
      </div>
    </Card>
  )
}

type Whom = keyof typeof words.whom
const WHOM = (Object.keys(words.whom) as Whom[]).map((value) => ({ value, label: words.whom[value] }))

/** The first question, and what follows from each answer. */
function Meet({ status: { mode, peers, models } }: { status: Status }) {
  const [whom, setWhom] = useState<Whom>()
  return (
    <>
      <Segmented label={words.meet} options={WHOM} value={whom} onChange={setWhom} />
      <div className={styles['answer']} aria-live="polite">
        {whom === undefined && <p>{words.meetText}</p>}
        {whom === 'people' && (
          <>
            <JoinForm />
            <p>
              <a href={linkTo('network', INVITE_ITEM)}>{words.invite}</a>
            </p>
          </>
        )}
        {whom === 'lan' && (
          <>
            <p>
              {mode === 'standalone' ? words.standalone : words.lanFound(peers)}{' '}
              {models.available > 0 && <a href={linkTo('models')}>{words.useAction}</a>}
            </p>
            {mode !== 'standalone' && <NearbyList />}
          </>
        )}
        {whom === 'public' && <PublicNetworks />}
        {whom === 'later' && (
          <p>
            {words.laterText} <a href={linkTo('network')}>{words.laterAction}</a>
          </p>
        )}
      </div>
    </>
  )
}

import { useState, type ReactNode } from 'react'
import type { Status } from '#shared/contract/node/node.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFirstRunHidden } from '../../stores/first-run.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { INVITE_ITEM, linkTo } from '../../stores/route.js'
import { goTo } from '../../stores/use-route.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { Icon } from '../../ui/icons/icon.js'
import { Segmented } from '../../ui/inputs/segmented.js'
import { JoinForm } from '../../ui/join/join-card.js'
import { Card } from '../../ui/layout/card.js'
import { NearbyList } from '../../ui/pairing/nearby-list.js'
import styles from './first-run-card.module.css'
import { PublicNetworks } from './public-networks.js'
import { StrangersQuestion } from './strangers-question.js'

const { first: words } = strings.home
/** Whether the card is still wanted, and the end of it. */
export function useFirstRun(status: Status | undefined): { isShown: boolean; hide: () => void } {
  const { isHidden, hide } = useFirstRunHidden()
  return { isShown: !isHidden && status !== undefined && status.models.shared === 0, hide }
}

/** The two questions at the beginning: whom to meet, and whether strangers may answer. Both can be answered later and otherwise. */
export function FirstRunCard({ status, onHide }: { status: Status; onHide: () => void }) {
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
          <Share />
        </div>
      </div>
    </Card>
  )
}

/** The second question: what there is to share, on a server or as a file, or how to get something. */
function Share() {
  const servers = dataOf(useFeed('detection'))
  const disk = dataOf(useFeed('engine'))?.disk
  const client = useClient()
  const { busy, run } = useAction()
  const found = servers?.find((server) => server.models.length > 0)
  const onDisk = disk?.models.filter(({ problem }) => problem === null).length ?? 0
  const isNothing = servers?.length === 0 && disk !== undefined && !disk.scanning && onDisk === 0
  const look = async (): Promise<void> => {
    await client.call('disk.scan', {})
    goTo('share')
  }
  const link = (text: string): ReactNode => (
    <a className={styles['primary']} href={linkTo('share')}>
      {text}
    </a>
  )
  if (isNothing && disk.finishedAtMs === null) {
    return (
      <>
        <p>{words.shareLook}</p>
        <span className={styles['actions']}>
          <Button icon="search" primary disabled={busy} onClick={() => run(look)}>
            {words.shareLookAction}
          </Button>
          <a href={linkTo('share')}>{words.shareAction}</a>
        </span>
      </>
    )
  }
  if (isNothing) {
    return (
      <>
        <p>{words.shareNothing}</p>
        {link(words.shareNothingAction)}
      </>
    )
  }
  const onFile = onDisk > 0 ? words.shareOnDisk(onDisk) : words.shareText
  return (
    <>
      <p>{found === undefined ? onFile : words.shareFound(found.name, found.models.length)}</p>
      {link(words.shareAction)}
    </>
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

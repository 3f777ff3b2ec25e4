import type { EngineState } from '#shared/contract/sharing/engine.js'
import { useClient, useFeed } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { Empty } from '../../../ui/feedback/empty.js'
import { FeedView } from '../../../ui/feedback/feed-view.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Card } from '../../../ui/layout/card.js'
import styles from './disk-card.module.css'
import { DiskTable } from './disk-table.js'
import { EngineLine } from './engine-line.js'
import { HowToGetOne } from './how-to-get-one.js'
import { PickList } from './pick-list.js'
import { rowsOf } from './rows.js'

const { engine: words } = strings

/** Models that lie on this computer as files, and the engine that runs them. `hasServer`: a model server is there as well. */
export function DiskCard({ hasServer }: { hasServer: boolean }) {
  const engine = useFeed('engine')
  return <FeedView state={engine}>{(state) => <Models state={state} hasServer={hasServer} />}</FeedView>
}

function Models({ state, hasServer }: { state: EngineState; hasServer: boolean }) {
  const { disk, install, served } = state
  const rows = rowsOf(state)
  const isEmpty = rows.length === 0
  const isFirst = disk.finishedAtMs === null && !disk.scanning && isEmpty
  // None is served yet: all that there is to do is to choose.
  const isChoice = served.length === 0 && !isEmpty
  const usable = rows.filter(({ problem }) => problem === null).length
  return (
    <Card
      title={isChoice ? words.onDisk(usable) : words.title}
      aside={!isFirst && <Scan state={state} />}
      flush={!isEmpty}
    >
      <div className={isEmpty ? styles['plain'] : styles['inset']}>
        {isFirst && <First state={state} hasServer={hasServer} />}
        {disk.scanning && (
          <p className={styles['soft']} role="status">
            {words.scanning(disk.seen, disk.read)}
          </p>
        )}
        {disk.problem !== null && <Notice tone="warn">{disk.problem}</Notice>}
        {!isFirst && !disk.scanning && isEmpty && <HowToGetOne hasServer={hasServer} />}
        {isChoice && <p className={styles['soft']}>{words.onDiskHint}</p>}
        {!isEmpty && <EngineLine install={install} />}
      </div>
      {isChoice && <PickList rows={rows} install={install} />}
      {!isChoice && !isEmpty && <DiskTable rows={rows} install={install} />}
    </Card>
  )
}

/** Nothing was looked for yet. Where there is no server either, this is what a person can do. */
function First({ state, hasServer }: { state: EngineState; hasServer: boolean }) {
  const look = (
    <>
      <p>{words.intro}</p>
      <Scan state={state} />
    </>
  )
  if (hasServer) return look
  return (
    <div className={styles['first']}>
      <Empty icon="server" title={strings.share.none}>
        <div className={styles['look']}>{look}</div>
        <p>{strings.share.noneHint}</p>
        <p className={styles['ports']}>{strings.share.ports}</p>
      </Empty>
    </div>
  )
}

function Scan({ state: { disk } }: { state: EngineState }) {
  const client = useClient()
  const { busy, run } = useAction()
  if (disk.scanning) {
    return <Button onClick={() => run(() => client.call('disk.cancel', {}))}>{words.cancel}</Button>
  }
  const isFirst = disk.finishedAtMs === null
  return (
    <Button icon="search" primary={isFirst} disabled={busy} onClick={() => run(() => client.call('disk.scan', {}))}>
      {isFirst ? words.scan : words.rescan}
    </Button>
  )
}

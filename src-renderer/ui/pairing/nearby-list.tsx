import { useId, useState } from 'react'
import type { Nearby, Pairing } from '#shared/contract/people/pairing.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { FeedView } from '../feedback/feed-view.js'
import { useAction } from '../feedback/use-action.js'
import { Badge } from '../text/badge.js'
import { NodeNearby, nodeName } from './node-nearby.js'
import { PairDialog } from './pair-dialog.js'
import styles from './pairing.module.css'

const words = strings.pairing

/** The nodes of the local network; a click shows a code here and there. */
export function NearbyList() {
  const nearby = useFeed('nearby')
  const client = useClient()
  const { busy, run } = useAction()
  const [started, setStarted] = useState<Pairing>()
  const id = useId()
  const pair = (peer: string): void => run(async () => setStarted(await client.call('people.pair', { peer })))
  return (
    <section className={styles['nearby']} aria-labelledby={id}>
      <h3 id={id}>{words.nearby}</h3>
      <FeedView state={nearby}>
        {(list) => (
          <>
            <p className={styles['soft']}>{list.length === 0 ? words.none : words.nearbyHelp}</p>
            {list.length === 0 && <p className={styles['soft']}>{words.noneHint}</p>}
            <ul className={styles['list']}>
              {list.map((node) => (
                <Row key={node.peerId} node={node} busy={busy} onPair={() => pair(node.peerId)} />
              ))}
            </ul>
          </>
        )}
      </FeedView>
      {started !== undefined && (
        <PairDialog
          key={started.sinceMs}
          started={started}
          onAgain={() => pair(started.peerId)}
          onClose={() => setStarted(undefined)}
        />
      )}
    </section>
  )
}

function Row({ node, busy, onPair }: { node: Nearby; busy: boolean; onPair: () => void }) {
  const name = nodeName(node)
  return (
    <li className={styles['row']}>
      <NodeNearby node={node} />
      {node.trusted && <Badge tone="good">{words.trusted}</Badge>}
      <Button label={node.trusted ? words.pairAgainWith(name) : words.pairWith(name)} disabled={busy} onClick={onPair}>
        {node.trusted ? words.pairAgain : words.pair}
      </Button>
    </li>
  )
}

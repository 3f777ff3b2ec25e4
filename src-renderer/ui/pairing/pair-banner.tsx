import { useState } from 'react'
import type { Pairing } from '#shared/contract/people/pairing.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { Notice } from '../feedback/notice.js'
import { useAction } from '../feedback/use-action.js'
import { nodeName } from './node-nearby.js'
import { PairDialog } from './pair-dialog.js'
import styles from './pairing.module.css'

const words = strings.pairing

/**
 * Nodes nearby that ask to pair, on every page. A notice and no dialog: one that opened unasked would take the focus, and
 * what is typed at that moment.
 */
export function PairBanner() {
  const [open, setOpen] = useState<Pairing>()
  const asking = (dataOf(useFeed('pairings')) ?? []).filter(
    ({ direction, state, peerId }) => direction === 'incoming' && state === 'compare' && peerId !== open?.peerId,
  )
  return (
    <>
      <div role="status" className={asking.length === 0 ? undefined : styles['banner']}>
        {asking.map((pairing) => (
          <Asks key={pairing.peerId} pairing={pairing} onShow={() => setOpen(pairing)} />
        ))}
      </div>
      {open !== undefined && <PairDialog key={open.sinceMs} started={open} onClose={() => setOpen(undefined)} />}
    </>
  )
}

function Asks({ pairing, onShow }: { pairing: Pairing; onShow: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  const refuse = (): void => run(() => client.call('people.refusePairing', { peer: pairing.peerId }), words.refused)
  return (
    <Notice
      tone="neutral"
      title={words.asks}
      actions={
        <>
          <Button primary onClick={onShow}>
            {words.show}
          </Button>
          <Button disabled={busy} onClick={refuse}>
            {words.refuse}
          </Button>
        </>
      }
    >
      {words.asksHelp(nodeName(pairing), pairing.address)}
    </Notice>
  )
}

import { useEffect, useState } from 'react'
import type { IdentityView } from '#shared/contract/network/identity.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Card } from '../../../ui/layout/card.js'
import { Facts } from '../../../ui/layout/facts.js'
import { PeerName } from '../../../ui/text/peer-name.js'
import { BackupDialog } from './backup-dialog.js'
import styles from './identity-card.module.css'
import { RestoreDialog } from './restore-dialog.js'

const { identity: words } = strings

/** Whose key this node has; saving it and taking another one. */
export function IdentityCard() {
  const client = useClient()
  const { run } = useAction()
  const [identity, setIdentity] = useState<IdentityView>()
  const [open, setOpen] = useState<'backup' | 'restore'>()
  useEffect(() => {
    run(async () => {
      setIdentity(await client.call('identity.get', {}))
    })
  }, [client, run])
  if (identity === undefined) return null
  const { nextPeerId, peerId, seeded } = identity
  const close = (): void => setOpen(undefined)
  return (
    <Card title={words.title}>
      <div className={styles['card']}>
        {nextPeerId !== null && <Notice tone="warn">{words.pending(nextPeerId)}</Notice>}
        <p className={styles['hint']}>{seeded ? words.seeded : words.hint}</p>
        <Facts
          facts={[
            { name: words.peerId, value: <PeerName peerId={peerId} opens={false} /> },
            ...(seeded ? [] : [{ name: words.file, value: <code>{identity.file}</code> }]),
          ]}
        />
        <div className={styles['buttons']}>
          <Button onClick={() => setOpen('backup')}>{words.backup.open}</Button>
          <Button disabled={seeded} onClick={() => setOpen('restore')}>
            {words.restore.open}
          </Button>
        </div>
      </div>
      {open === 'backup' && <BackupDialog onClose={close} />}
      {open === 'restore' && (
        <RestoreDialog
          peerId={nextPeerId ?? peerId}
          onClose={close}
          onRestored={(now) => {
            setIdentity(now)
            close()
          }}
        />
      )}
    </Card>
  )
}

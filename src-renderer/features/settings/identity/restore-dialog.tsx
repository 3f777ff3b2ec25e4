import { useState, type SubmitEvent } from 'react'
import { MAX_BACKUP_LENGTH, type BackupView, type IdentityView } from '#shared/contract/network/identity.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { Dialog } from '../../../ui/controls/dialog.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { sentenceOf, useAction } from '../../../ui/feedback/use-action.js'
import { Field } from '../../../ui/inputs/field.js'
import { FileField } from '../../../ui/inputs/file-field.js'
import { Facts } from '../../../ui/layout/facts.js'
import { PeerName } from '../../../ui/text/peer-name.js'
import { TimeAgo } from '../../../ui/text/time-ago.js'
import styles from './identity-card.module.css'

const { restore: words } = strings.identity

/** Asks for a backup and its passphrase, says what will happen, and does it. */
export function RestoreDialog({
  peerId,
  onClose,
  onRestored,
}: {
  /** Whose key the next start would have. */
  peerId: string
  onClose: () => void
  onRestored: (identity: IdentityView) => void
}) {
  const client = useClient()
  const { busy, run } = useAction()
  const [chosen, setChosen] = useState<{ text: string; seen: BackupView }>()
  const [passphrase, setPassphrase] = useState('')
  const [problem, setProblem] = useState<string>()

  const choose = async (file: File | undefined): Promise<void> => {
    setChosen(undefined)
    setProblem(undefined)
    if (file === undefined) return
    if (file.size > MAX_BACKUP_LENGTH) {
      setProblem(words.tooBig)
      return
    }
    try {
      const text = await file.text()
      setChosen({ text, seen: await client.call('identity.inspect', { text }) })
    } catch (error) {
      setProblem(sentenceOf(error))
    }
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (chosen === undefined) return
    run(async () => {
      try {
        const { identity, keptAs } = await client.call('identity.restore', { text: chosen.text, passphrase })
        toast('good', keptAs === null ? words.same : words.done(keptAs))
        onRestored(identity)
      } catch (error) {
        setProblem(sentenceOf(error))
      }
    })
  }
  return (
    <Dialog title={words.title} onClose={onClose}>
      <form className={styles['form']} onSubmit={submit}>
        <FileField label={words.file} accept=".json,application/json" onChoose={(file) => void choose(file)} />
        {chosen !== undefined && <Consequence seen={chosen.seen} peerId={peerId} />}
        {chosen?.seen.same === false && (
          <Field label={words.passphrase} type="password" value={passphrase} onChange={setPassphrase} />
        )}
        {problem !== undefined && (
          <div role="alert">
            <Notice tone="bad">{problem}</Notice>
          </div>
        )}
        <div className={styles['buttons']}>
          <Button submit primary disabled={busy || chosen?.seen.same !== false || passphrase === ''}>
            {busy ? words.busy : words.do}
          </Button>
          <Button onClick={onClose}>{strings.settings.cancel}</Button>
        </div>
      </form>
    </Dialog>
  )
}

function Consequence({ seen, peerId }: { seen: BackupView; peerId: string }) {
  if (seen.same) return <Notice tone="neutral">{words.same}</Notice>
  return (
    <>
      <Facts
        facts={[
          { name: words.holds, value: <PeerName peerId={seen.peerId} opens={false} /> },
          { name: words.made, value: <TimeAgo atMs={seen.madeAtMs} /> },
          { name: words.now, value: <PeerName peerId={peerId} opens={false} /> },
        ]}
      />
      <Notice tone="warn">{words.consequence}</Notice>
    </>
  )
}

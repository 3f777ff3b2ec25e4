import { useState, type SubmitEvent } from 'react'
import { MIN_PASSPHRASE_LENGTH } from '#shared/contract/network/identity.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { Dialog } from '../../../ui/controls/dialog.js'
import { saveText } from '../../../ui/controls/save-text.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Field } from '../../../ui/inputs/field.js'
import styles from './identity-card.module.css'

const { backup: words } = strings.identity

/** Asks for a passphrase and saves the locked key as a file. */
export function BackupDialog({ onClose }: { onClose: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [passphrase, setPassphrase] = useState('')
  const [again, setAgain] = useState('')
  const [told, setTold] = useState(false)
  const tooShort = passphrase.length < MIN_PASSPHRASE_LENGTH
  const differs = passphrase !== again
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    setTold(true)
    if (tooShort || differs) return
    run(async () => {
      const { fileName, text } = await client.call('identity.backup', { passphrase })
      saveText({ fileName, mediaType: 'application/json', text })
      toast('good', words.done(fileName))
      onClose()
    })
  }
  return (
    <Dialog title={words.title} onClose={onClose}>
      <form className={styles['form']} onSubmit={submit}>
        <p className={styles['hint']}>{words.hint}</p>
        <Field
          label={words.passphrase}
          type="password"
          value={passphrase}
          onChange={setPassphrase}
          help={words.passphraseHelp(MIN_PASSPHRASE_LENGTH)}
          error={told && tooShort ? words.tooShort(MIN_PASSPHRASE_LENGTH) : undefined}
        />
        <Field
          label={words.again}
          type="password"
          value={again}
          onChange={setAgain}
          error={told && differs ? words.differs : undefined}
        />
        <div className={styles['buttons']}>
          <Button submit primary disabled={busy}>
            {busy ? words.busy : words.save}
          </Button>
          <Button onClick={onClose}>{strings.settings.cancel}</Button>
        </div>
      </form>
    </Dialog>
  )
}

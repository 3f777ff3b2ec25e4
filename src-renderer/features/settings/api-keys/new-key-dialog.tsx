import { useState, type SubmitEvent } from 'react'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { CopyButton } from '../../../ui/controls/copy-button.js'
import { Dialog } from '../../../ui/controls/dialog.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Field } from '../../../ui/inputs/field.js'
import styles from './api-keys-card.module.css'

const { add: words } = strings.keys

/** Asks for a name, makes a key and shows it this once. */
export function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [name, setName] = useState('')
  const [wasSent, setWasSent] = useState(false)
  const [key, setKey] = useState<string>()
  const isMissing = name.trim() === ''
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    setWasSent(true)
    if (isMissing) return
    run(async () => setKey((await client.call('keys.add', { name })).key))
  }
  if (key !== undefined) {
    return (
      <Dialog title={words.made(name)} onClose={onClose}>
        <div className={styles['form']}>
          <p className={styles['once']}>{words.once}</p>
          <code className={styles['key']} tabIndex={0} aria-label={words.made(name)}>
            {key}
          </code>
          <div className={styles['buttons']}>
            <CopyButton primary text={key} label={words.copy} />
            <Button onClick={onClose}>{words.close}</Button>
          </div>
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog title={words.title} onClose={onClose}>
      <form className={styles['form']} onSubmit={submit}>
        <Field
          label={words.name}
          value={name}
          onChange={setName}
          help={words.nameHelp}
          error={wasSent && isMissing ? words.missing : undefined}
        />
        <div className={styles['buttons']}>
          <Button submit primary disabled={busy}>
            {words.do}
          </Button>
          <Button onClick={onClose}>{strings.settings.cancel}</Button>
        </div>
      </form>
    </Dialog>
  )
}

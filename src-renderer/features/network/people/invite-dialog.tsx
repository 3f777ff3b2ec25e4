import { QRCodeSVG } from 'qrcode.react'
import { useState, type SubmitEvent } from 'react'
import type { CallOutput } from '#shared/contract/index.js'
import { MAX_NAME_LENGTH } from '#shared/person-names.js'
import { useCapabilities, useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { CopyButton } from '../../../ui/controls/copy-button.js'
import { Dialog } from '../../../ui/controls/dialog.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Field } from '../../../ui/inputs/field.js'
import { Segmented } from '../../../ui/inputs/segmented.js'
import styles from './people.module.css'

const { invite: words } = strings.people
const WEEK_MS = words.timeOptions[2]?.value ?? ''

/** Makes an invite, and shows it this once. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [name, setName] = useState('')
  const [uses, setUses] = useState('1')
  const [time, setTime] = useState(WEEK_MS)
  const [made, setMade] = useState<CallOutput<'people.invite'>>()
  if (made !== undefined) {
    return (
      <Dialog title={words.made(made.invite.name ?? '')} onClose={onClose}>
        <Made made={made} onClose={onClose} />
      </Dialog>
    )
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const wanted = { uses: Number(uses), forMs: Number(time), ...(name.trim() === '' ? {} : { name }) }
    run(async () => setMade(await client.call('people.invite', wanted)))
  }
  return (
    <Dialog title={words.title} onClose={onClose}>
      <form className={styles['form']} onSubmit={submit}>
        <Field label={words.name} help={words.nameHelp} value={name} maxLength={MAX_NAME_LENGTH} onChange={setName} />
        <div className={styles['choice']}>
          <p>{words.uses}</p>
          <Segmented label={words.uses} options={words.usesOptions} value={uses} onChange={setUses} />
        </div>
        <div className={styles['choice']}>
          <p>{words.time}</p>
          <Segmented label={words.time} options={words.timeOptions} value={time} onChange={setTime} />
        </div>
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

function Made({ made: { text, link, reach }, onClose }: { made: CallOutput<'people.invite'>; onClose: () => void }) {
  // The desktop app hands what opens in a new window to the system; in a browser that would leave an empty tab.
  const isApp = useCapabilities().includes('open-external')
  const mail = `mailto:?subject=${encodeURIComponent(words.subject)}&body=${encodeURIComponent(words.body(text))}`
  return (
    <div className={styles['form']}>
      <Notice tone="warn" title={words.warning}>
        {words.once}
      </Notice>
      {words.reach[reach] !== undefined && <Notice tone="warn">{words.reach[reach]}</Notice>}
      <div className={styles['made']}>
        <QRCodeSVG
          className={styles['qr']}
          value={link}
          size={224}
          marginSize={3}
          level="L"
          title={words.qr}
          role="img"
          aria-label={words.qr}
        />
        <div className={styles['text']}>
          <p>{words.qrHelp}</p>
          <code className={styles['code']} tabIndex={0} aria-label={words.made('')}>
            {text}
          </code>
          <div className={styles['buttons']}>
            <CopyButton primary text={text} label={words.copy} />
            <CopyButton text={link} label={words.copyLink} />
          </div>
          <a href={mail} {...(isApp ? { target: '_blank', rel: 'noreferrer' } : {})}>
            {words.email}
          </a>
        </div>
      </div>
      <div className={styles['buttons']}>
        <Button onClick={onClose}>{words.close}</Button>
      </div>
    </div>
  )
}

import { useEffect, useId, useRef, useState, type KeyboardEvent, type SubmitEvent } from 'react'
import type { SettingView } from '#shared/contract/node/settings.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { sentenceOf } from '../../../ui/feedback/use-action.js'
import styles from './setting-editor.module.css'

const { settings: words } = strings

/** Changes one setting; what the node refuses stays in the field with the reason. */
export function SettingEditor({
  setting,
  onClose,
  onSaved,
}: {
  setting: SettingView
  onClose: () => void
  onSaved: () => void
}) {
  const client = useClient()
  const [text, setText] = useState(setting.secret ? '' : (setting.next ?? setting.value))
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const id = useId()

  const write = async (value: string | null): Promise<void> => {
    setBusy(true)
    try {
      const { restartNeeded } = await client.call('settings.set', { name: setting.name, value })
      const saved = restartNeeded ? words.savedLater(setting.name) : words.saved(setting.name)
      toast('good', value === null ? words.resetDone(setting.name) : saved)
      onSaved()
    } catch (error) {
      setProblem(sentenceOf(error))
      setBusy(false)
    }
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    void write(text)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose()
  }
  const isOverridden = setting.origin === 'flag' || setting.origin === 'environment'
  const hints = [
    words.expected(setting.expected),
    setting.kind === 'list' ? words.listHint : '',
    setting.secret ? words.secretHint : '',
    isOverridden ? words.overridden : '',
    setting.restart ? `${words.restart}.` : '',
  ]
  return (
    <form className={styles['editor']} onSubmit={submit} onKeyDown={onKeyDown}>
      <Input setting={setting} id={id} value={text} isWrong={problem !== undefined} onChange={setText} />
      <p id={`${id}-hint`} className={styles['hint']}>
        {hints.filter((hint) => hint !== '').join(' ')}
      </p>
      {problem !== undefined && (
        <p id={`${id}-problem`} className={styles['problem']} role="alert">
          {problem}
        </p>
      )}
      <div className={styles['buttons']}>
        <Button submit primary disabled={busy}>
          {words.save}
        </Button>
        <Button onClick={onClose}>{words.cancel}</Button>
        {(setting.origin === 'file' || setting.next !== null) && (
          <Button onClick={() => void write(null)} disabled={busy}>
            {words.reset}
          </Button>
        )}
      </div>
    </form>
  )
}

function Input({
  setting,
  id,
  value,
  isWrong,
  onChange,
}: {
  setting: SettingView
  id: string
  value: string
  isWrong: boolean
  onChange: (value: string) => void
}) {
  const field = useRef<HTMLInputElement & HTMLSelectElement>(null)
  useEffect(() => field.current?.focus(), [])
  const common = {
    ref: field,
    className: styles['input'],
    value,
    'aria-label': setting.name,
    'aria-invalid': isWrong,
    'aria-describedby': `${id}-hint${isWrong ? ` ${id}-problem` : ''}`,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  }
  const choices = setting.kind === 'boolean' ? ['true', 'false'] : setting.choices
  if (choices.length > 0) {
    return (
      <select {...common}>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {setting.kind === 'boolean' ? words[choice === 'true' ? 'on' : 'off'] : choice}
          </option>
        ))}
      </select>
    )
  }
  return (
    <input
      {...common}
      type={setting.secret ? 'password' : 'text'}
      inputMode={setting.kind === 'number' ? 'numeric' : undefined}
      placeholder={setting.default}
      autoComplete="off"
      spellCheck={false}
    />
  )
}

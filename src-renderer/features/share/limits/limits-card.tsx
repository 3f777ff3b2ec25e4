import { useId, useState, type SubmitEvent } from 'react'
import type { Usage } from '#shared/contract/sharing/limits.js'
import { dataOf } from '../../../stores/feed-store.js'
import { useClient, useFeed } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Field } from '../../../ui/inputs/field.js'
import { TextArea } from '../../../ui/inputs/text-area.js'
import { Card } from '../../../ui/layout/card.js'
import styles from './limits-card.module.css'
import { checkLimits, LIMIT_GROUPS, limitChanges, writeLimits, type LimitsText } from './limits-form.js'

const { share: words } = strings

/** What peers may use of this machine. */
export function LimitsCard() {
  const usage = dataOf(useFeed('limits'))
  return usage === undefined ? null : <Form usage={usage} />
}

function Form({ usage: { limits } }: { usage: Usage }) {
  const id = useId()
  const client = useClient()
  const { busy, run } = useAction()
  const [edited, setEdited] = useState<LimitsText>()
  const text = edited ?? writeLimits(limits)
  const wrong = checkLimits(text)
  const changes = edited === undefined ? undefined : limitChanges(limits, text)
  const set = (name: keyof LimitsText) => (value: string) => setEdited({ ...text, [name]: value })

  const save = async (): Promise<void> => {
    if (changes === undefined) return
    const { restartNeeded } = await client.call('limits.set', changes)
    setEdited(undefined)
    toast('good', restartNeeded ? words.limitsSavedLater : words.limitsSaved)
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (Object.keys(wrong).length === 0) run(save)
  }
  return (
    <Card title={words.limits}>
      <form onSubmit={submit}>
        {LIMIT_GROUPS.map(({ group, title, about, fields }) => (
          <fieldset key={group} className={styles['group']} aria-describedby={`${id}-${group}`}>
            <legend>{title}</legend>
            <p id={`${id}-${group}`} className={styles['about']}>
              {about}
            </p>
            <div className={styles['fields']}>
              {fields.map(({ name, isList, label, hint }) =>
                isList ? (
                  <TextArea key={name} label={label} help={hint} value={text[name]} onChange={set(name)} />
                ) : (
                  <Field
                    key={name}
                    label={label}
                    help={hint}
                    error={wrong[name]}
                    value={text[name]}
                    inputMode="numeric"
                    onChange={set(name)}
                  />
                ),
              )}
            </div>
          </fieldset>
        ))}
        <footer className={styles['foot']}>
          <p>{words.limitsHint}</p>
          <Button submit primary disabled={busy || changes === undefined || Object.keys(wrong).length > 0}>
            {words.limitsSave}
          </Button>
        </footer>
      </form>
    </Card>
  )
}

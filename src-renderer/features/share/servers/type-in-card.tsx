import { useState, type SubmitEvent } from 'react'
import { readAddress } from '#shared/read-address.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Field } from '../../../ui/inputs/field.js'
import { Card } from '../../../ui/layout/card.js'
import styles from './type-in-card.module.css'

const { typeIn: words } = strings.share

/** A server that is not where servers usually are. */
export function TypeInCard() {
  const client = useClient()
  const { busy, run } = useAction()
  const [text, setText] = useState('')
  const [error, setError] = useState<string>()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const address = readAddress(text)
    setError(address === undefined ? words.bad : undefined)
    if (address === undefined) return
    run(async () => {
      const seen = await client.call('detection.type-in', address)
      if (seen.problem === null) setText('')
      else toast('bad', seen.problem)
    })
  }
  return (
    <Card title={words.title}>
      <form className={styles['form']} onSubmit={submit}>
        <Field label={words.label} help={words.help} error={error} value={text} onChange={setText} placeholder="8080" />
        <Button submit icon="search" disabled={busy}>
          {words.add}
        </Button>
      </form>
    </Card>
  )
}

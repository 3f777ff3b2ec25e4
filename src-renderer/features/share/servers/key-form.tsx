import { useState, type SubmitEvent } from 'react'
import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Field } from '../../../ui/inputs/field.js'
import styles from './type-in-card.module.css'

const { key: words } = strings.share

/** Asks for the key of a server that wants one. */
export function KeyForm({ server }: { server: DetectedServer }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [apiKey, setApiKey] = useState('')
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    run(async () => {
      const seen = await client.call('detection.type-in', { host: server.host, port: server.port, apiKey })
      setApiKey('')
      if (seen.problem === null) toast('good', words.done)
      else toast('bad', seen.problem)
    })
  }
  return (
    <form className={styles['form']} onSubmit={submit}>
      <Field label={words.label} help={words.help} type="password" value={apiKey} onChange={setApiKey} />
      <Button submit primary icon="key" disabled={busy || apiKey === ''}>
        {words.use}
      </Button>
    </form>
  )
}

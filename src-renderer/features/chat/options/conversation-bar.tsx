import { useState } from 'react'
import type { ModelView } from '#shared/contract/models/models.js'
import type { Conversation } from '../../../stores/chats/conversation.js'
import { dataOf } from '../../../stores/feed-store.js'
import { useChats, useFeed } from '../../../stores/hooks.js'
import { isoDay, shortPeerId } from '../../../strings/format.js'
import { strings } from '../../../strings.js'
import { Button } from '../../../ui/controls/button.js'
import { saveText } from '../../../ui/controls/save-text.js'
import { Select } from '../../../ui/inputs/select.js'
import styles from './conversation-bar.module.css'
import { exportText } from './export-text.js'
import { OptionsForm } from './options-form.js'

const { chat: words } = strings
const ANY = 'any'

/** Whom a conversation asks from now on and how, and the way to take it along. */
export function ConversationBar({
  conversation,
  models,
}: {
  conversation: Conversation
  models: readonly ModelView[]
}) {
  const chats = useChats()
  const [isOpen, setOpen] = useState(false)
  const { id, settings, leaf } = conversation
  const names = models.map((model) => ({ value: model.id, label: model.id }))
  names.sort((a, b) => a.label.localeCompare(b.label, 'en'))
  const isKnown = names.some(({ value }) => value === settings.model)
  const known = isKnown ? names : [{ value: settings.model, label: words.modelGone(settings.model) }, ...names]
  const model = models.find((one) => one.id === settings.model)
  const save = (): void => {
    const day = isoDay(Date.now())
    saveText({ fileName: words.exportedName(day), mediaType: 'text/markdown', text: exportText(conversation) })
  }
  return (
    <>
      <div className={styles['bar']}>
        <Select
          label={words.model}
          options={known}
          value={settings.model}
          onChange={(chosen) => chats.configure(id, { model: chosen, provider: null })}
        />
        {model !== undefined && (
          <Provider
            model={model}
            value={settings.provider}
            onChange={(provider) => chats.configure(id, { provider })}
          />
        )}
        <span className={styles['buttons']}>
          <Button icon="settings" pressed={isOpen} onClick={() => setOpen(!isOpen)}>
            {words.options}
          </Button>
          <Button icon="download" disabled={leaf === null} onClick={save}>
            {words.export}
          </Button>
        </span>
      </div>
      {isOpen && <OptionsForm key={id} settings={settings} onChange={(changed) => chats.configure(id, changed)} />}
    </>
  )
}

function Provider({
  model,
  value,
  onChange,
}: {
  model: ModelView
  value: string | null
  onChange: (peerId: string | null) => void
}) {
  const people = dataOf(useFeed('people')) ?? []
  if (model.providers.length < 2) return null
  const nameOf = (peerId: string): string =>
    people.find((person) => person.peerId === peerId)?.label ?? shortPeerId(peerId)
  const options = model.providers.map(({ peerId, self }) => ({
    value: peerId,
    label: self ? words.here : nameOf(peerId),
  }))
  const isThere = options.some((option) => option.value === value)
  return (
    <Select
      label={words.provider}
      options={[{ value: ANY, label: words.anyProvider }, ...options]}
      value={isThere ? (value ?? ANY) : ANY}
      onChange={(chosen) => onChange(chosen === ANY ? null : chosen)}
    />
  )
}

import { useState } from 'react'
import type { ChatSettings } from '../../../stores/chats/conversation.js'
import { strings } from '../../../strings.js'
import { Field } from '../../../ui/inputs/field.js'
import { TextArea } from '../../../ui/inputs/text-area.js'
import styles from './conversation-bar.module.css'

const { chat: words } = strings

/** How a conversation asks: what is written counts from the next question on. */
export function OptionsForm({
  settings,
  onChange,
}: {
  settings: ChatSettings
  onChange: (changed: Partial<ChatSettings>) => void
}) {
  const [temperature, setTemperature] = useState(settings.temperature === null ? '' : String(settings.temperature))
  const [maxTokens, setMaxTokens] = useState(settings.maxTokens === null ? '' : String(settings.maxTokens))
  const isTemperature = (text: string): boolean => text.trim() === '' || (Number(text) >= 0 && Number(text) <= 2)
  const isCount = (text: string): boolean => text.trim() === '' || /^[1-9]\d{0,8}$/.test(text.trim())
  const numberOf = (text: string): number | null => (text.trim() === '' ? null : Number(text))
  return (
    <div className={styles['options']}>
      <TextArea
        label={words.system}
        help={words.systemHelp}
        value={settings.system}
        onChange={(system) => onChange({ system })}
      />
      <Field
        label={words.temperature}
        help={words.temperatureHelp}
        value={temperature}
        inputMode="decimal"
        error={isTemperature(temperature) ? undefined : words.temperatureWrong}
        onChange={(text) => {
          setTemperature(text)
          if (isTemperature(text)) onChange({ temperature: numberOf(text) })
        }}
      />
      <Field
        label={words.maxTokens}
        help={words.maxTokensHelp}
        value={maxTokens}
        inputMode="numeric"
        error={isCount(maxTokens) ? undefined : words.maxTokensWrong}
        onChange={(text) => {
          setMaxTokens(text)
          if (isCount(text)) onChange({ maxTokens: numberOf(text) })
        }}
      />
    </div>
  )
}

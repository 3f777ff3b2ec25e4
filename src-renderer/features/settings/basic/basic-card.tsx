import { useEffect, useId, useRef, useState, type SubmitEvent } from 'react'
import type { SettingView } from '#shared/contract/node/settings.js'
import { dataOf } from '../../../stores/feed-store.js'
import { useClient, useFeed } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { KeepSwitch } from '../../../ui/chats/keep-switch.js'
import { Button } from '../../../ui/controls/button.js'
import { sentenceOf } from '../../../ui/feedback/use-action.js'
import { Select } from '../../../ui/inputs/select.js'
import { Slider } from '../../../ui/inputs/slider.js'
import { Switch } from '../../../ui/inputs/switch.js'
import { Card } from '../../../ui/layout/card.js'
import styles from './basic-card.module.css'
import { settingsOf, type BasicSection, type Control } from './basic-settings.js'
import { WeekGrid } from './week-grid.js'

const { basic: words, ...settingWords } = strings.settings

/** The settings of one section under the names that people have for them; each is saved as soon as it is changed. */
export function BasicCard({
  section,
  settings,
  target,
  onSaved,
}: {
  section: BasicSection
  settings: readonly SettingView[]
  /** The setting the address names: it is scrolled to and has the focus. */
  target: string | undefined
  onSaved: () => void
}) {
  const rows = settingsOf(section, settings)
  if (rows.length === 0) return null
  return (
    <Card title={words.section[section]} flush>
      {rows.map(({ setting, control }) => (
        <Row
          key={setting.name}
          setting={setting}
          control={control}
          isTarget={setting.name === target}
          onSaved={onSaved}
        />
      ))}
    </Card>
  )
}

function Row({
  setting,
  control,
  isTarget,
  onSaved,
}: {
  setting: SettingView
  control: Control
  isTarget: boolean
  onSaved: () => void
}) {
  const id = useId()
  const client = useClient()
  const row = useRef<HTMLDivElement>(null)
  const [state, setState] = useState<{ saved: boolean } | { problem: string }>()
  useEffect(() => {
    if (!isTarget) return
    row.current?.scrollIntoView({ block: 'center' })
    row.current?.querySelector<HTMLElement>('input, select, [tabindex="0"]')?.focus({ preventScroll: true })
  }, [isTarget])
  const save = async (value: string): Promise<boolean> => {
    try {
      await client.call('settings.set', { name: setting.name, value })
      setState({ saved: true })
      onSaved()
      return true
    } catch (error) {
      setState({ problem: sentenceOf(error) })
      return false
    }
  }
  const isOverridden = setting.origin === 'flag' || setting.origin === 'environment'
  const rule = dataOf(useFeed('pause'))?.rules.find(({ setting: name }) => name === setting.name)
  // A rule that can see nothing here can be switched off, and not on.
  const isOfNoUse = rule?.canTell === false && !rule.enabled
  const { label, help } = words.of(setting.name, setting.help)
  return (
    <div
      ref={row}
      className={`${styles['row'] ?? ''} ${control.kind === 'hours' ? styles['wide'] : ''} ${isTarget ? styles['target'] : ''}`}
      data-setting={setting.name}
    >
      <div>
        <p className={styles['label']}>{label}</p>
        <p id={id} className={styles['help']}>
          {isOverridden ? words.overridden(setting.originLabel) : help}
        </p>
      </div>
      <Input
        setting={setting}
        control={control}
        label={label}
        describedBy={id}
        disabled={isOverridden || isOfNoUse || !setting.editable}
        save={save}
        onSaved={onSaved}
      />
      {setting.next !== null && (
        <p className={`${styles['state'] ?? ''} ${styles['later'] ?? ''}`}>{settingWords.restart}.</p>
      )}
      {state !== undefined && 'problem' in state && (
        <p className={styles['problem']} role="alert">
          {state.problem}
        </p>
      )}
      <span className="visually-hidden" role="status">
        {state !== undefined && 'saved' in state ? settingWords.saved(label) : ''}
      </span>
    </div>
  )
}

function Input({
  setting,
  control,
  label,
  describedBy,
  disabled,
  save,
  onSaved,
}: {
  setting: SettingView
  control: Control
  label: string
  describedBy: string
  disabled: boolean
  save: (value: string) => Promise<boolean>
  onSaved: () => void
}) {
  const value = setting.next ?? setting.value
  const common = { label, disabled, describedBy }
  switch (control.kind) {
    case 'switch':
      return <Switch {...common} checked={value === 'true'} onChange={(checked) => save(String(checked))} />
    case 'keep-chats':
      return <KeepSwitch {...common} checked={value === 'true'} onChanged={onSaved} />
    case 'choice':
      return (
        <Select
          label={label}
          disabled={disabled}
          options={setting.choices.map((choice) => ({ value: choice, label: words.choice(setting.name, choice) }))}
          value={value}
          onChange={(choice) => void save(choice)}
        />
      )
    case 'slider':
      return (
        <Slider
          {...common}
          steps={control.steps}
          value={Number(value)}
          format={words.unit[control.unit]}
          onChange={(step) => void save(String(step))}
        />
      )
    case 'hours':
      return <WeekGrid value={value} disabled={disabled} onChange={(text) => void save(text)} />
    case 'text':
      return (
        <Text {...common} value={value} placeholder={words.placeholder(setting.name, setting.default)} save={save} />
      )
  }
}

/** A line that is saved with Enter or its button, which appears when there is something to save. */
function Text({
  label,
  value,
  placeholder,
  disabled,
  describedBy,
  save,
}: {
  label: string
  value: string
  placeholder: string
  disabled: boolean
  describedBy: string
  save: (value: string) => Promise<boolean>
}) {
  const [typed, setTyped] = useState<string>()
  useEffect(() => setTyped(undefined), [value])
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (typed !== undefined) void save(typed)
  }
  return (
    <form className={styles['text']} onSubmit={submit}>
      <input
        aria-label={label}
        aria-describedby={describedBy}
        value={typed ?? value}
        placeholder={placeholder}
        disabled={disabled}
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => setTyped(target.value)}
      />
      {typed !== undefined && typed !== value && (
        <Button submit primary>
          {settingWords.save}
        </Button>
      )}
    </form>
  )
}

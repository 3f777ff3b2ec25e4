import { useState, type SubmitEvent } from 'react'
import type { EngineSettings, ServedModel } from '#shared/contract/sharing/engine.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { Dialog } from '../../../ui/controls/dialog.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Field } from '../../../ui/inputs/field.js'
import styles from './disk-card.module.css'

const { form: words } = strings.engine

/** The ranges of the contract. */
const RANGES = { contextTokens: [256, 4_194_304], slots: [1, 32], gpuLayers: [0, 1000] } as const
type Name = keyof typeof RANGES
const LABELS: Record<Name, [label: string, help: string]> = {
  contextTokens: [words.context, words.contextHelp],
  slots: [words.slots, words.slotsHelp],
  gpuLayers: [words.layers, words.layersHelp],
}
const NAMES = Object.keys(RANGES) as Name[]

/** A typed number; null where nothing is typed, undefined where it is none in range. */
function readNumber(name: Name, text: string): number | null | undefined {
  const [least, most] = RANGES[name]
  const value = Number(text.trim())
  if (text.trim() === '') return null
  return Number.isInteger(value) && value >= least && value <= most ? value : undefined
}

/** How one served model runs, what went wrong with it, and how fast it is. */
export function ModelSettings({ served, onClose }: { served: ServedModel; onClose: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [texts, setTexts] = useState(() => {
    const text = (name: Name): string => String(served.settings[name] ?? '')
    return { contextTokens: text('contextTokens'), slots: text('slots'), gpuLayers: text('gpuLayers') }
  })
  const [keepLoaded, setKeepLoaded] = useState(served.settings.keepLoaded)
  const values = NAMES.map((name) => [name, readNumber(name, texts[name])] as const)
  const isBad = values.some(([, value]) => value === undefined)
  const save = (event: SubmitEvent): void => {
    event.preventDefault()
    if (isBad) return
    const settings: Partial<EngineSettings> = { keepLoaded, ...Object.fromEntries(values) }
    run(async () => {
      await client.call('engine.serve', { model: served.id, settings })
      onClose()
    }, words.saved)
  }
  return (
    <Dialog title={strings.engine.settingsOf(served.name)} onClose={onClose}>
      <form className={styles['form']} onSubmit={save}>
        {served.problem !== null && <Notice tone="bad">{served.problem}</Notice>}
        {NAMES.map((name) => (
          <Field
            key={name}
            label={LABELS[name][0]}
            help={LABELS[name][1]}
            inputMode="numeric"
            value={texts[name]}
            error={readNumber(name, texts[name]) === undefined ? words.bad : undefined}
            onChange={(text) => setTexts({ ...texts, [name]: text })}
          />
        ))}
        <label className={styles['keep']}>
          <input type="checkbox" checked={keepLoaded} onChange={({ target }) => setKeepLoaded(target.checked)} />
          <span>
            {words.keep}
            <small>{words.keepHelp}</small>
          </span>
        </label>
        <div className={styles['line']}>
          <span className={styles['soft']} role="status">
            {served.measured === null
              ? words.measureHelp
              : words.measured(served.measured.tokensPerS, served.measured.promptMsPer1000)}
          </span>
          <Button
            disabled={busy || served.measuring}
            onClick={() => run(() => client.call('engine.measure', { id: served.id }))}
          >
            {served.measuring ? words.measuring : words.measure}
          </Button>
        </div>
        <div className={styles['actions']}>
          <Button submit primary disabled={busy || isBad}>
            {words.save}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

import { useEffect, useRef, useState } from 'react'
import type { SettingView } from '#shared/contract/node/settings.js'
import { strings } from '../../../strings/all.js'
import { Badge } from '../../../ui/text/badge.js'
import { Words } from '../../../ui/text/words.js'
import { SettingEditor } from './setting-editor.js'
import styles from './settings-table.module.css'

const { settings: words } = strings

/** Each setting with what it does, its value in force, where that came from, and the way to change it. */
export function SettingsTable({
  label,
  settings,
  target,
  onSaved,
}: {
  label: string
  settings: readonly SettingView[]
  /** The setting the address names: it is scrolled to. */
  target: string | undefined
  onSaved: () => void
}) {
  return (
    <table className={styles['table']} aria-label={label}>
      <colgroup>
        <col />
        <col className={styles['values']} />
        <col className={styles['origins']} />
      </colgroup>
      <thead className={styles['head']}>
        <tr>
          <th scope="col">{words.column.name}</th>
          <th scope="col">{words.column.value}</th>
          <th scope="col">{words.column.origin}</th>
        </tr>
      </thead>
      <tbody>
        {settings.map((setting) => (
          <Row key={setting.name} setting={setting} isTarget={setting.name === target} onSaved={onSaved} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ setting, isTarget, onSaved }: { setting: SettingView; isTarget: boolean; onSaved: () => void }) {
  const [isEdited, setEdited] = useState(false)
  const row = useRef<HTMLTableRowElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!isTarget) return
    row.current?.scrollIntoView({ block: 'center' })
    button.current?.focus({ preventScroll: true })
  }, [isTarget])
  const close = (): void => {
    setEdited(false)
    // The button is back after this render.
    requestAnimationFrame(() => button.current?.focus())
  }
  return (
    <tr ref={row} className={isTarget ? styles['target'] : undefined}>
      <td className={styles['name']}>
        <code>{setting.name}</code>
        <p>
          <Words text={[setting.help, setting.cost].filter((part) => part !== '').join(' ')} />
        </p>
      </td>
      <td className={styles['value']}>
        {isEdited ? (
          <SettingEditor
            setting={setting}
            onClose={close}
            onSaved={() => {
              close()
              onSaved()
            }}
          />
        ) : (
          <Value setting={setting} />
        )}
      </td>
      <td className={styles['origin']}>
        <Badge tone={setting.origin === 'default' ? 'neutral' : 'accent'} title={setting.originLabel}>
          {words.origin[setting.origin]}
        </Badge>
        {setting.editable && !isEdited && (
          <button
            ref={button}
            type="button"
            className={styles['edit']}
            aria-label={words.editLabel(setting.name)}
            onClick={() => setEdited(true)}
          >
            {words.edit}
          </button>
        )}
      </td>
    </tr>
  )
}

function Value({ setting }: { setting: SettingView }) {
  return (
    <>
      {setting.value === '' ? (
        <span className={styles['unset']}>{words.notSet}</span>
      ) : (
        <code>{setting.kind === 'boolean' ? words[setting.value === 'true' ? 'on' : 'off'] : setting.value}</code>
      )}
      {setting.next !== null && <p className={styles['next']}>{words.next(setting.next)}</p>}
    </>
  )
}

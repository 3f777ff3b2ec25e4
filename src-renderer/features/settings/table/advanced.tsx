import { useState } from 'react'
import type { SettingView } from '#shared/contract/node/settings.js'
import { strings } from '../../../strings/all.js'
import { Empty } from '../../../ui/feedback/empty.js'
import { SearchBox } from '../../../ui/inputs/search-box.js'
import { Card } from '../../../ui/layout/card.js'
import styles from '../settings-page.module.css'
import { SettingsTable } from './settings-table.js'

const { settings: words } = strings

/** Every setting by its key, searched, with where its value comes from. */
export function Advanced({
  settings,
  target,
  onSaved,
}: {
  settings: readonly SettingView[]
  /** The setting the address names. */
  target: string | undefined
  onSaved: () => void
}) {
  const [query, setQuery] = useState('')
  const [onlyChanged, setOnlyChanged] = useState(false)
  const shown = settings.filter((setting) => (!onlyChanged || isChanged(setting)) && fits(setting, query))
  return (
    <>
      <div className={styles['tools']}>
        <SearchBox label={words.search} value={query} onChange={setQuery} />
        <label className={styles['only']}>
          <input type="checkbox" checked={onlyChanged} onChange={(event) => setOnlyChanged(event.target.checked)} />
          {words.onlyChanged}
        </label>
      </div>
      {shown.length === 0 && (
        <Card>
          <Empty icon="search" title={words.noMatch} />
        </Card>
      )}
      {[...new Set(shown.map((setting) => setting.group))].map((group) => (
        <Card key={group} title={group} flush>
          <SettingsTable
            label={group}
            settings={shown.filter((setting) => setting.group === group)}
            target={target}
            onSaved={onSaved}
          />
        </Card>
      ))}
    </>
  )
}

/** Whether a setting is no longer, or not for long, what it is by default. */
export function isChanged(setting: SettingView): boolean {
  return setting.origin !== 'default' || setting.next !== null
}

function fits({ name, group, help }: SettingView, query: string): boolean {
  const label = words.basic.of(name, '').label
  return `${name} ${label} ${group} ${help}`.toLowerCase().includes(query.trim().toLowerCase())
}

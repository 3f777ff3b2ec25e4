import { useState } from 'react'
import type { SettingView } from '#shared/contract/node/settings.js'
import { dataOf } from '../../stores/feed-store.js'
import { useSettings } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { SearchBox } from '../../ui/controls/search-box.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { Notice } from '../../ui/feedback/notice.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import { AboutCard } from './about/about-card.js'
import { ApiKeysCard } from './api-keys/api-keys-card.js'
import { AppCard } from './app-card.js'
import { AppearanceCard } from './appearance-card.js'
import { IdentityCard } from './identity/identity-card.js'
import { LogCard } from './log-card.js'
import styles from './settings-page.module.css'
import { SettingsTable } from './table/settings-table.js'

const { settings: words } = strings

/** "Change how it behaves." */
export function SettingsPage({ item }: { item: string | undefined }) {
  const { state, reload } = useSettings()
  const [query, setQuery] = useState('')
  const [onlyChanged, setOnlyChanged] = useState(false)
  const settings = dataOf(state)
  const changed = settings?.filter(isChanged).length
  const pending = settings?.filter((setting) => setting.next !== null).length ?? 0
  return (
    <Page
      name={strings.nav.settings}
      sentence={changed === undefined ? strings.state.loading : words.sentence(changed)}
      actions={
        <>
          <label className={styles['only']}>
            <input type="checkbox" checked={onlyChanged} onChange={(event) => setOnlyChanged(event.target.checked)} />
            {words.onlyChanged}
          </label>
          <SearchBox label={words.search} value={query} onChange={setQuery} />
        </>
      }
    >
      {pending > 0 && <Notice tone="warn">{words.pending(pending)}</Notice>}
      <AppearanceCard />
      <AppCard />
      <FeedView state={state} onRetry={reload}>
        {(list) => (
          <Groups
            settings={list.filter((setting) => (!onlyChanged || isChanged(setting)) && fits(setting, query))}
            target={item}
            onSaved={reload}
          />
        )}
      </FeedView>
      <ApiKeysCard />
      <IdentityCard />
      <LogCard />
      <AboutCard />
    </Page>
  )
}

function isChanged(setting: SettingView): boolean {
  return setting.origin !== 'default' || setting.next !== null
}

function fits({ name, group, help }: SettingView, query: string): boolean {
  return `${name} ${group} ${help}`.toLowerCase().includes(query.trim().toLowerCase())
}

function Groups({
  settings,
  target,
  onSaved,
}: {
  settings: readonly SettingView[]
  target: string | undefined
  onSaved: () => void
}) {
  if (settings.length === 0) {
    return (
      <Card>
        <Empty icon="search" title={words.noMatch} />
      </Card>
    )
  }
  return [...new Set(settings.map((setting) => setting.group))].map((group) => (
    <Card key={group} title={group} flush>
      <SettingsTable
        label={group}
        settings={settings.filter((setting) => setting.group === group)}
        target={target}
        onSaved={onSaved}
      />
    </Card>
  ))
}

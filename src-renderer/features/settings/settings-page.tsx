import { useState } from 'react'
import type { SettingView } from '#shared/contract/settings.js'
import { THEME_CHOICES, useTheme } from '../../frame/theme.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed, useSettings } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/card.js'
import { FeedView } from '../../ui/feed-view.js'
import { Page } from '../../ui/page.js'
import { TimeAgo } from '../../ui/time-ago.js'
import { LogCard } from './log-card.js'
import { SettingsTable } from './settings-table.js'
import styles from './settings-page.module.css'

const { settings: words } = strings

/** "Change how it behaves." */
export function SettingsPage() {
  const { state, reload } = useSettings()
  const [onlyChanged, setOnlyChanged] = useState(false)
  const settings = dataOf(state)
  const changed = settings?.filter(isChanged).length
  return (
    <Page
      name={strings.nav.settings}
      sentence={changed === undefined ? strings.state.loading : words.sentence(changed)}
      actions={
        <label className={styles['only']}>
          <input type="checkbox" checked={onlyChanged} onChange={(event) => setOnlyChanged(event.target.checked)} />
          {words.onlyChanged}
        </label>
      }
    >
      <p className={styles['hint']}>{words.hint}</p>
      <Appearance />
      <FeedView state={state} onRetry={reload}>
        {(list) => <Groups settings={onlyChanged ? list.filter(isChanged) : list} />}
      </FeedView>
      <LogCard />
      <About />
    </Page>
  )
}

function isChanged(setting: SettingView): boolean {
  return setting.origin !== 'default'
}

function Groups({ settings }: { settings: readonly SettingView[] }) {
  return [...new Set(settings.map((setting) => setting.group))].map((group) => (
    <Card key={group} title={group} flush>
      <SettingsTable label={group} settings={settings.filter((setting) => setting.group === group)} />
    </Card>
  ))
}

function Appearance() {
  const { choice, choose } = useTheme()
  return (
    <Card title={words.appearance}>
      <fieldset className={styles['themes']}>
        <legend>{words.theme.label}</legend>
        {THEME_CHOICES.map((name) => (
          <label key={name} className={styles['theme']}>
            <input type="radio" name="theme" checked={choice === name} onChange={() => choose(name)} />
            {words.theme[name]}
          </label>
        ))}
      </fieldset>
    </Card>
  )
}

function About() {
  const status = dataOf(useFeed('status'))
  if (status === undefined) return null
  return (
    <Card title={words.about}>
      <dl className={styles['about']}>
        <dt>{words.version}</dt>
        <dd>{status.version}</dd>
        <dt>{words.mode}</dt>
        <dd>{strings.modes[status.mode]}</dd>
        <dt>{words.started}</dt>
        <dd>
          <TimeAgo atMs={status.startedAtMs} />
        </dd>
      </dl>
    </Card>
  )
}

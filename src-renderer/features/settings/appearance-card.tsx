import { useEffect, useState } from 'react'
import type { AppPreferenceName, AppPreferences } from '#shared/contract/app.js'
import type { Capability } from '#shared/contract/node.js'
import { THEME_CHOICES, useTheme } from '../../frame/theme.js'
import { useClient } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/card.js'
import { useAction } from '../../ui/use-action.js'
import styles from './settings-page.module.css'

const { settings: words } = strings

/** How the app looks, and what the desktop app does by itself where there is one. */
export function AppearanceCard() {
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
      <Preferences />
    </Card>
  )
}

/** Which capability each preference needs. */
const NEEDED = {
  closeToTray: 'close-to-tray',
  notifications: 'notifications',
  autostart: 'autostart',
  updates: 'self-update',
} as const satisfies Record<AppPreferenceName, Capability>

function Preferences() {
  const client = useClient()
  const { busy, run } = useAction()
  const [names, setNames] = useState<AppPreferenceName[]>([])
  const [preferences, setPreferences] = useState<AppPreferences | null>(null)
  useEffect(() => {
    const ask = async (): Promise<void> => {
      const capabilities = await client.call('node.capabilities', {})
      const offered = (Object.keys(NEEDED) as AppPreferenceName[]).filter((name) => capabilities.includes(NEEDED[name]))
      if (offered.length === 0) return
      setPreferences(await client.call('app.preferences', {}))
      setNames(offered)
    }
    run(ask)
  }, [client, run])
  if (preferences === null) return null
  const change = async (name: AppPreferenceName, value: boolean): Promise<void> => {
    setPreferences(await client.call('app.setPreference', { name, value }))
  }
  return (
    <fieldset className={styles['preferences']}>
      <legend className="visually-hidden">{words.app.title}</legend>
      {names.map((name) => (
        <label key={name} className={styles['theme']}>
          <input
            type="checkbox"
            checked={preferences[name]}
            disabled={busy}
            onChange={({ target }) => run(() => change(name, target.checked))}
          />
          {words.app[name]}
        </label>
      ))}
    </fieldset>
  )
}

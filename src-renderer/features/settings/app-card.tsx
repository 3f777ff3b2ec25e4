import { useEffect, useState } from 'react'
import type { AppPreferenceName, AppPreferences } from '#shared/contract/node/app.js'
import type { Capability } from '#shared/contract/node/node.js'
import { useClient } from '../../stores/hooks.js'
import { strings } from '../../strings/all.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { Card } from '../../ui/layout/card.js'
import styles from './settings-page.module.css'

const { app: words } = strings.settings

/** Which capability each preference needs. */
const NEEDED = {
  closeToTray: 'close-to-tray',
  notifications: 'notifications',
  autostart: 'autostart',
  updates: 'self-update',
} as const satisfies Record<AppPreferenceName, Capability>

const NAMES = Object.keys(NEEDED) as AppPreferenceName[]

/** What the desktop app does besides showing a window; nothing where the page is shown elsewhere. */
export function AppCard() {
  const { preferences, names, change, busy } = usePreferences()
  if (preferences === null) return null
  return (
    <Card title={words.title}>
      <ul className={styles['preferences']}>
        {names.map((name) => (
          <li key={name}>
            <label className={styles['theme']}>
              <input
                type="checkbox"
                checked={preferences[name]}
                disabled={busy}
                aria-describedby={`preference-${name}`}
                onChange={({ target }) => change(name, target.checked)}
              />
              {words[name].label}
            </label>
            <p id={`preference-${name}`} className={styles['help']}>
              {words[name].help}
            </p>
          </li>
        ))}
      </ul>
    </Card>
  )
}

/** The preferences this place has, asked for once; null where it has none. */
function usePreferences() {
  const client = useClient()
  const { busy, run } = useAction()
  const [names, setNames] = useState<readonly AppPreferenceName[]>([])
  const [preferences, setPreferences] = useState<AppPreferences | null>(null)
  useEffect(() => {
    run(async () => {
      const capabilities = await client.call('node.capabilities', {})
      const offered = NAMES.filter((name) => capabilities.includes(NEEDED[name]))
      if (offered.length === 0) return
      setNames(offered)
      setPreferences(await client.call('app.preferences', {}))
    })
  }, [client, run])
  const change = (name: AppPreferenceName, value: boolean): void =>
    run(async () => {
      setPreferences(await client.call('app.setPreference', { name, value }))
    })
  return { preferences, names, change, busy }
}

import type { SettingView } from '#shared/contract/settings.js'
import { strings } from '../../strings.js'
import { Badge } from '../../ui/badge.js'
import { Words } from '../../ui/words.js'
import styles from './settings-table.module.css'

const { settings: words } = strings

/** Each setting with what it does, its value in force and where that came from. */
export function SettingsTable({ label, settings }: { label: string; settings: readonly SettingView[] }) {
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
          <tr key={setting.name}>
            <td className={styles['name']}>
              <code>{setting.name}</code>
              <p>
                <Words text={[setting.help, setting.cost].filter((part) => part !== '').join(' ')} />
              </p>
            </td>
            <td className={styles['value']}>
              {setting.value === '' ? (
                <span className={styles['unset']}>{words.notSet}</span>
              ) : (
                <code>{setting.value}</code>
              )}
            </td>
            <td className={styles['origin']}>
              <Badge tone={setting.origin === 'default' ? 'neutral' : 'accent'} title={setting.originLabel}>
                {words.origin[setting.origin]}
              </Badge>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

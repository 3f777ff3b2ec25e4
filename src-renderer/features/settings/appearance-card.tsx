import { THEME_CHOICES, useTheme } from '../../stores/theme.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/layout/card.js'
import styles from './settings-page.module.css'

const { settings: words } = strings

/** How the app looks. */
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
    </Card>
  )
}

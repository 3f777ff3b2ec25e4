import { THEME_CHOICES, useTheme } from '../../stores/theme.js'
import { strings } from '../../strings/all.js'
import {
  chooseLanguage,
  LANGUAGE_CHOICES,
  LANGUAGE_NAMES,
  readLanguageChoice,
} from '../../strings/languages/language.js'
import { Select } from '../../ui/inputs/select.js'
import { Card } from '../../ui/layout/card.js'
import styles from './settings-page.module.css'

const { settings: words } = strings

/** How the app looks. */
export function AppearanceCard() {
  const { choice, choose } = useTheme()
  return (
    <Card title={words.appearance}>
      <div className={styles['looks']}>
        <div className={styles['look']} role="radiogroup" aria-labelledby="theme">
          <span id="theme">{words.theme.label}</span>
          <div className={styles['themes']}>
            {THEME_CHOICES.map((name) => (
              <label key={name} className={styles['theme']}>
                <input type="radio" name="theme" checked={choice === name} onChange={() => choose(name)} />
                {words.theme[name]}
              </label>
            ))}
          </div>
        </div>
        <div className={styles['look']}>
          <span aria-hidden="true">{words.language.label}</span>
          <span>
            <Select
              label={words.language.label}
              options={LANGUAGE_CHOICES.map((name) => ({
                value: name,
                label: name === 'auto' ? words.language.auto : LANGUAGE_NAMES[name],
              }))}
              value={readLanguageChoice()}
              onChange={(name) => {
                chooseLanguage(name)
                // Words are there from the start of a page.
                location.reload()
              }}
            />
          </span>
        </div>
      </div>
    </Card>
  )
}

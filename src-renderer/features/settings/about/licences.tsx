import { useState } from 'react'
import { strings } from '../../../strings/all.js'
import styles from './licences.module.css'

const { settings: words } = strings

/** One package this program is made of; the build writes the list beside the page. */
interface Licence {
  name: string
  version: string
  licence: string
}

/** The packages and their licences, asked for when somebody opens the list. */
export function Licences() {
  const [list, setList] = useState<readonly Licence[] | 'none'>()
  const load = (): void => {
    if (list !== undefined) return
    fetchLicences().then(setList, () => setList('none'))
  }
  return (
    <details onToggle={load}>
      <summary>{words.licencesShow}</summary>
      {list === undefined && strings.state.loading}
      {list === 'none' && words.licencesNone}
      {list !== undefined && list !== 'none' && (
        <ul className={styles['list']} tabIndex={0} aria-label={words.licences}>
          {list.map(({ name, version, licence }) => (
            <li key={`${name} ${version}`}>
              <code>{name}</code> {version} <span>{licence}</span>
            </li>
          ))}
        </ul>
      )}
      <LicenceTexts />
    </details>
  )
}

/** The texts themselves, which are long and asked for by few. */
function LicenceTexts() {
  const [text, setText] = useState<string>()
  const load = (): void => {
    if (text !== undefined) return
    fetchLicenceTexts().then(setText, () => setText(words.licencesNone))
  }
  return (
    <details onToggle={load}>
      <summary>{words.licenceTexts}</summary>
      {text === undefined ? (
        strings.state.loading
      ) : (
        <pre className={styles['texts']} tabIndex={0} aria-label={words.licenceTexts}>
          {text}
        </pre>
      )}
    </details>
  )
}

async function fetchLicenceTexts(): Promise<string> {
  const response = await fetch('./THIRD-PARTY-LICENSES.txt')
  if (!response.ok) throw new Error(`THIRD-PARTY-LICENSES.txt: ${response.status}`)
  return await response.text()
}

async function fetchLicences(): Promise<Licence[]> {
  const response = await fetch('./licences.json')
  if (!response.ok) throw new Error(`licences.json: ${response.status}`)
  return (await response.json()) as Licence[]
}

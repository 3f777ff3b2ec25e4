import { strings } from '../strings.js'
import { Words } from '../ui/text/words.js'
import styles from './gate.module.css'
import { Logo } from './logo.js'

/** What a browser without the key sees. */
export function Gate() {
  return (
    <main className={styles['gate']}>
      <Logo />
      <h1>{strings.gate.noToken.title}</h1>
      <p>
        <Words text={strings.gate.noToken.body} />
      </p>
    </main>
  )
}

import { strings } from '../strings.js'
import { Words } from '../ui/text/words.js'
import styles from './gate.module.css'
import { Logo } from './logo.js'

/** What a browser sees that has no key, or one that the node no longer takes. */
export function Gate({ reason }: { reason: keyof typeof strings.gate }) {
  const { title, body } = strings.gate[reason]
  return (
    <main className={styles['gate']}>
      <Logo />
      <h1>{title}</h1>
      <p>
        <Words text={body} />
      </p>
    </main>
  )
}

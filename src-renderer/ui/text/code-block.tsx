import { CopyButton } from '../controls/copy-button.js'
import styles from './code-block.module.css'

/** Text to run or paste, with its copy button. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <div className={styles['block']}>
      <pre className={styles['code']} aria-label={label} tabIndex={0}>
        {code}
      </pre>
      <CopyButton text={code} />
    </div>
  )
}

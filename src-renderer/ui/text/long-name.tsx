import styles from './long-name.module.css'
import { partsOf } from './marks.js'
import { Visible } from './visible.js'

/** Characters at the end that are always seen: versions and sizes of models stand there. */
const TAIL = 14
/** Shorter names are cut at their end only, if at all. */
const LONG = 24

/** A name that keeps its end where it has too little room, as in `hf.co/unsloth/…8B-GGUF:Q8_0`. */
export function LongName({ name }: { name: string }) {
  if (name.length < LONG || partsOf(name).length > 1) return <Visible text={name} />
  return (
    <span className={styles['name']}>
      <span className={styles['head']}>{name.slice(0, -TAIL)}</span>
      <span className={styles['tail']}>{name.slice(-TAIL)}</span>
    </span>
  )
}

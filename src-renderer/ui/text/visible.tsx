import { strings } from '../../strings.js'
import { partsOf } from './marks.js'
import styles from './visible.module.css'

/** A text of someone else, in which marks that can't be seen are shown by their code: they can make two names look alike. */
export function Visible({ text }: { text: string }) {
  const parts = partsOf(text)
  if (parts.every(({ mark }) => mark === undefined)) return text
  return parts.map(({ text: own, mark }, index) =>
    mark === undefined ? (
      <bdi key={index}>{own}</bdi>
    ) : (
      <span key={index} className={styles['mark']} title={strings.hiddenMark}>
        {mark}
      </span>
    ),
  )
}

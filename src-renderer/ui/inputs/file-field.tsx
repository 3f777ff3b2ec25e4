import { useState } from 'react'
import { strings } from '../../strings.js'
import styles from './file-field.module.css'

/** A choice of one file, drawn like the other controls; the name of what was chosen stands beside it. */
export function FileField({
  label,
  accept,
  onChoose,
}: {
  label: string
  /** Kinds of files that can be chosen, as HTML has them. */
  accept: string
  /** Undefined where the choice was taken back. */
  onChoose: (file: File | undefined) => void
}) {
  const [name, setName] = useState<string>()
  const choose = (file: File | undefined): void => {
    setName(file?.name)
    onChoose(file)
  }
  return (
    <div className={styles['field']}>
      <span aria-hidden="true" className={styles['label']}>
        {label}
      </span>
      <span className={styles['row']}>
        <label className={styles['button']}>
          <input
            type="file"
            className="visually-hidden"
            aria-label={label}
            accept={accept}
            onChange={({ target }) => choose(target.files?.[0])}
          />
          <span aria-hidden="true">{strings.file.choose}</span>
        </label>
        <span className={styles['name']}>{name ?? strings.file.none}</span>
      </span>
    </div>
  )
}

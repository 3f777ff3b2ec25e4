import { useEffect, useId, useRef, type ReactNode } from 'react'
import { strings } from '../../strings.js'
import styles from './dialog.module.css'
import { IconButton } from './icon-button.js'

/**
 * A modal native dialog: the browser traps the focus, closes on Escape and gives the focus back. Shown while it is in
 * the tree. A `sheet` stands at the right edge and leaves the page in view.
 */
export function Dialog({
  title,
  aside,
  kind = 'box',
  onClose,
  children,
}: {
  title: ReactNode
  /** Beside the title. */
  aside?: ReactNode
  kind?: 'box' | 'sheet'
  onClose: () => void
  children: ReactNode
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const element = dialog.current
    if (element?.open === false) element.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={`${styles['dialog'] ?? ''} ${styles[kind] ?? ''}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose()
      }}
    >
      <div className={styles['inner']}>
        <header className={styles['head']}>
          <h2 id={id} className={styles['title']}>
            {title}
          </h2>
          {aside}
          <IconButton icon="close" label={strings.dialog.close} onClick={onClose} />
        </header>
        <div className={styles['body']}>{children}</div>
      </div>
    </dialog>
  )
}

import { strings } from '../../strings.js'
import { Dialog } from '../../ui/controls/dialog.js'
import styles from './shortcuts-dialog.module.css'
import { PAGE_KEYS } from './use-shortcuts.js'

const { shortcuts: words } = strings

/** Which keys do what. */
export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const isMac = navigator.platform.startsWith('Mac')
  const rows: [keys: string[], what: string][] = [
    [[isMac ? '⌘' : 'Ctrl', 'K'], words.palette],
    [['?'], words.help],
    [['/'], words.search],
    ...Object.entries(PAGE_KEYS).map(([key, page]): [string[], string] => [['g', key], words.page(strings.nav[page])]),
    [['Esc'], words.close],
  ]
  return (
    <Dialog title={words.title} onClose={onClose}>
      <dl className={styles['rows']}>
        {rows.map(([keys, what]) => (
          <div key={what} className={styles['row']}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}

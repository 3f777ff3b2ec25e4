import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react'
import { strings } from '../../strings.js'
import { Icon } from '../../ui/icons/icon.js'
import { Visible } from '../../ui/text/visible.js'
import { matchCommands, type Command } from './match-commands.js'
import styles from './palette.module.css'
import { useCommands } from './use-commands.js'

const { palette: words } = strings

/** Everything by its name: a field, a list, arrow keys and Enter. */
export function Palette({ onClose, openShortcuts }: { onClose: () => void; openShortcuts: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [query, setQuery] = useState('')
  const [index, setIndex] = useState(0)
  const id = useId()
  const found = matchCommands(useCommands(openShortcuts), query)
  const current = found[Math.min(index, found.length - 1)]

  useEffect(() => {
    const element = dialog.current
    if (element?.open === false) element.showModal()
    return () => element?.close()
  }, [])
  useEffect(() => {
    dialog.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [current?.id])

  const choose = (command: Command): void => {
    onClose()
    command.run()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setIndex((Math.min(index, found.length - 1) + step + found.length) % Math.max(1, found.length))
    } else if (event.key === 'Enter' && current !== undefined) {
      event.preventDefault()
      choose(current)
    }
  }
  return (
    <dialog
      ref={dialog}
      className={styles['palette']}
      aria-label={words.title}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className={styles['field']}>
        <Icon name="search" />
        <input
          autoFocus
          type="text"
          role="combobox"
          aria-label={words.title}
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={current === undefined ? undefined : `${id}-${current.id}`}
          placeholder={words.placeholder}
          value={query}
          spellCheck={false}
          onKeyDown={onKeyDown}
          onChange={(event) => {
            setQuery(event.target.value)
            setIndex(0)
          }}
        />
        <kbd>Esc</kbd>
      </div>
      <ul id={`${id}-list`} role="listbox" aria-label={words.title} className={styles['list']}>
        {found.map((command) => (
          <li
            key={command.id}
            id={`${id}-${command.id}`}
            role="option"
            aria-selected={command === current}
            className={styles['option']}
            onClick={() => choose(command)}
            onPointerMove={() => command !== current && setIndex(found.indexOf(command))}
          >
            <Icon name={command.icon} size={16} />
            <span className={styles['title']}>
              <Visible text={command.title} />
            </span>
            <span className={styles['group']}>{command.group}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <p className={styles['none']} role="status">
          {words.none(query)}
        </p>
      )}
    </dialog>
  )
}

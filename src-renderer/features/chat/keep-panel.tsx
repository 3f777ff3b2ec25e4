import { useId, useState } from 'react'
import { useStore } from 'zustand'
import { useChats, useKeeper } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { DeleteChatsDialog, KeepSwitch } from '../../ui/chats/keep-switch.js'
import { Button } from '../../ui/controls/button.js'
import styles from './keep-panel.module.css'

const { chat } = strings
const { keep: words } = chat

/** Whether the conversations are kept, how, and what went wrong with it. */
export function KeepPanel() {
  const id = useId()
  const keeper = useKeeper()
  const { dropped } = useStore(useChats().store)
  const { phase, sealed, stored, setAside, problem } = useStore(keeper.store)
  const [isDeleting, setDeleting] = useState(false)
  const isOn = phase === 'on'
  const isLeft = phase === 'off' && stored
  // The way to begin anew where what is kept can't be opened.
  const isLocked = phase === 'failed' && problem !== undefined
  return (
    <div className={styles['panel']}>
      <div className={styles['switch']}>
        <span>{words.label}</span>
        <KeepSwitch
          label={words.label}
          describedBy={id}
          checked={isOn}
          disabled={phase === 'loading' || phase === 'failed'}
        />
      </div>
      <p id={id} className={styles['hint']}>
        {isOn ? (sealed ? words.sealed : words.plain) : chat.memory}
      </p>
      {setAside.length > 0 && <p role="alert">{words.setAside(setAside.join(', '))}</p>}
      {dropped > 0 && <p role="status">{words.dropped(dropped)}</p>}
      {problem !== undefined && <p role="alert">{problem}</p>}
      {isLeft && <p>{words.left}</p>}
      {(isLeft || isLocked) && <Button onClick={() => setDeleting(true)}>{words.delete.do}</Button>}
      {isDeleting && <DeleteChatsDialog remove={() => keeper.forget()} onClose={() => setDeleting(false)} />}
    </div>
  )
}

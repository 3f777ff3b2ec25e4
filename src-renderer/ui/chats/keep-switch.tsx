import { useState } from 'react'
import { useKeeper } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { Dialog } from '../controls/dialog.js'
import { toast } from '../feedback/toasts.js'
import { sentenceOf, useAction } from '../feedback/use-action.js'
import { Switch } from '../inputs/switch.js'
import styles from './keep-switch.module.css'

const { keep: words } = strings.chat

/** Whether chats are kept on this computer. Off deletes what was kept, so it is asked for first. */
export function KeepSwitch({
  label,
  describedBy,
  checked,
  disabled = false,
  onChanged,
}: {
  label: string
  describedBy: string
  checked: boolean
  disabled?: boolean
  onChanged?: () => void
}) {
  const keeper = useKeeper()
  const [isAsking, setAsking] = useState(false)
  const change = async (on: boolean): Promise<boolean> => {
    if (!on) {
      setAsking(true)
      return false
    }
    try {
      await keeper.switchOn()
      return true
    } catch (error) {
      toast('bad', sentenceOf(error))
      return false
    } finally {
      onChanged?.()
    }
  }
  const close = (): void => {
    setAsking(false)
    onChanged?.()
  }
  return (
    <>
      <Switch label={label} describedBy={describedBy} checked={checked} disabled={disabled} onChange={change} />
      {isAsking && <DeleteChatsDialog remove={() => keeper.switchOff()} onClose={close} />}
    </>
  )
}

/** Asks before kept chats are deleted. */
export function DeleteChatsDialog({ remove, onClose }: { remove: () => Promise<void>; onClose: () => void }) {
  const { busy, run } = useAction()
  return (
    <Dialog title={words.delete.title} onClose={onClose}>
      <p>{words.delete.consequence}</p>
      <div className={styles['buttons']}>
        <Button primary disabled={busy} onClick={() => run(() => remove().finally(onClose), words.delete.done)}>
          {words.delete.do}
        </Button>
        <Button onClick={onClose}>{strings.chat.cancel}</Button>
      </div>
    </Dialog>
  )
}

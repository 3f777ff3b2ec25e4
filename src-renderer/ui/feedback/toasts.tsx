import { useEffect, useRef } from 'react'
import { create } from 'zustand'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { IconButton } from '../controls/icon-button.js'
import { Icon } from '../icons/icon.js'
import styles from './toasts.module.css'

/** A short message that goes away by itself; errors stay until they are closed. */
export interface Toast {
  id: number
  tone: 'good' | 'bad'
  text: string
  /** Takes back what the message tells of. */
  undo?: () => void
}

const SHOWN_MS = 5000
/** Time to think again. */
const SHOWN_WITH_UNDO_MS = 10_000
/** More than these nobody reads: the oldest go. */
const MAX_TOASTS = 3

let lastId = 0

const useToasts = create<{ list: readonly Toast[]; close: (id: number) => void }>((set) => ({
  list: [],
  close: (id) => set(({ list }) => ({ list: list.filter((toast) => toast.id !== id) })),
}))

/** Shows a message. */
export function toast(tone: Toast['tone'], text: string, undo?: () => void): void {
  lastId += 1
  const next: Toast = { id: lastId, tone, text, ...(undo && { undo }) }
  useToasts.setState(({ list }) => ({ list: [...list, next].slice(-MAX_TOASTS) }))
}

/** Where messages appear: in the top layer, so that they stand above dialogs too. */
export function Toasts() {
  const list = useToasts((state) => state.list)
  const region = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = region.current
    if (element === null || list.length === 0) return
    // Shown anew, so that it lies above a dialog that was opened later.
    if (element.matches(':popover-open')) element.hidePopover()
    element.showPopover()
  }, [list])
  return (
    <div ref={region} popover="manual" className={styles['region']} role="status" aria-live="polite">
      {list.map((one) => (
        <ToastLine key={one.id} toast={one} />
      ))}
    </div>
  )
}

function ToastLine({ toast: { id, tone, text, undo } }: { toast: Toast }) {
  const close = useToasts((state) => state.close)
  useEffect(() => {
    if (tone === 'bad') return
    const timer = setTimeout(() => close(id), undo === undefined ? SHOWN_MS : SHOWN_WITH_UNDO_MS)
    return () => clearTimeout(timer)
  }, [id, tone, undo, close])
  return (
    <div className={`${styles['toast'] ?? ''} ${styles[tone] ?? ''}`}>
      <Icon name={tone === 'good' ? 'check' : 'alert'} size={16} />
      <p>{text}</p>
      {undo !== undefined && (
        <Button
          onClick={() => {
            close(id)
            undo()
          }}
        >
          {strings.dialog.undo}
        </Button>
      )}
      <IconButton icon="close" label={strings.dialog.close} onClick={() => close(id)} />
    </div>
  )
}

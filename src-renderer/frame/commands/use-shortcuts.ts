import { useEffect, useRef } from 'react'
import type { PageName } from '../../stores/route.js'
import { goTo } from '../../stores/use-route.js'

/** The second key after `g`. */
export const PAGE_KEYS: Readonly<Record<string, PageName>> = {
  h: 'home',
  c: 'chat',
  s: 'share',
  m: 'models',
  n: 'network',
  t: 'traffic',
  e: 'settings',
}

/** Between the two keys of `g h`. */
const SEQUENCE_MS = 1500

/** What the keys do besides going to pages. */
export interface ShortcutActions {
  palette: () => void
  help: () => void
}

/** Keys that work everywhere, except single letters while somebody types or a dialog is open. */
export function useShortcuts(actions: ShortcutActions): void {
  const latest = useRef(actions)
  useEffect(() => {
    latest.current = actions
  })
  useEffect(() => {
    let goneAtMs = -Infinity
    const onKeyDown = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        latest.current.palette()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || dialogIsOpen()) return
      const page = PAGE_KEYS[event.key]
      if (page !== undefined && event.timeStamp - goneAtMs < SEQUENCE_MS) goTo(page)
      else if (event.key === '?') latest.current.help()
      else if (event.key === '/') focusSearch(event)
      goneAtMs = event.key === 'g' ? event.timeStamp : -Infinity
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element && target.closest('input:not([type=radio], [type=checkbox]), textarea, select') !== null
  )
}

function dialogIsOpen(): boolean {
  return document.querySelector('dialog[open]') !== null
}

function focusSearch(event: KeyboardEvent): void {
  const search = document.querySelector<HTMLElement>('[data-search]')
  if (search === null) return
  event.preventDefault()
  search.focus()
}

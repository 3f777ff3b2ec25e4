import { create } from 'zustand'

const KEY = 'ocf-first-run'

/** Whether the questions of the beginning are put away; kept in this browser. The palette brings them back. */
export const useFirstRunHidden = create<{ isHidden: boolean; hide: () => void; show: () => void }>((set) => ({
  isHidden: localStorage.getItem(KEY) === 'hidden',
  hide() {
    localStorage.setItem(KEY, 'hidden')
    set({ isHidden: true })
  },
  show() {
    localStorage.removeItem(KEY)
    set({ isHidden: false })
  },
}))

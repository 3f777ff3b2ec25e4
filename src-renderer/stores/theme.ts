import { create } from 'zustand'

/** `auto` follows the system. */
export type ThemeChoice = 'auto' | 'light' | 'dark'
export const THEME_CHOICES: readonly ThemeChoice[] = ['auto', 'light', 'dark']

const KEY = 'ocf-theme'

function readChoice(): ThemeChoice {
  const saved = localStorage.getItem(KEY)
  return THEME_CHOICES.find((choice) => choice === saved) ?? 'auto'
}

/** The person's choice, kept on this computer. */
export const useTheme = create<{ choice: ThemeChoice; choose: (choice: ThemeChoice) => void }>((set) => ({
  choice: readChoice(),
  choose(choice) {
    localStorage.setItem(KEY, choice)
    set({ choice })
  },
}))

/** Keeps the document in the chosen theme from now on. */
export function applyTheme(): void {
  const system = window.matchMedia('(prefers-color-scheme: dark)')
  const apply = (): void => {
    const { choice } = useTheme.getState()
    const dark = choice === 'dark' || (choice === 'auto' && system.matches)
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
  }
  apply()
  useTheme.subscribe(apply)
  system.addEventListener('change', apply)
}

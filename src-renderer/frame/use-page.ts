import { useSyncExternalStore } from 'react'
import { pageOf, type PageName } from './route.js'

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

/** The page shown now. */
export function usePage(): PageName {
  return useSyncExternalStore(subscribe, () => pageOf(location.hash))
}

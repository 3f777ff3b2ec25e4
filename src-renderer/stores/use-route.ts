import { useMemo, useSyncExternalStore } from 'react'
import { linkTo, routeOf, type PageName, type Route } from './route.js'

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

/** Where one is now. */
export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash)
  return useMemo(() => routeOf(hash), [hash])
}

/** Goes to a page, or to a thing on it. */
export function goTo(page: PageName, item?: string): void {
  location.hash = linkTo(page, item)
}

import { useEffect, useState } from 'react'
import { inviteIn, linkTo } from './route.js'

/**
 * The invite of a link like `#/join/ocf1…`, until it is closed. It is taken out of the address at once, so that it is in no
 * history, bookmark or screenshot.
 */
export function useInviteLink(): { invite: string | undefined; close: () => void } {
  const [invite, setInvite] = useState<string>()
  useEffect(() => {
    const take = (): void => {
      const found = inviteIn(location.hash)
      if (found === undefined) return
      history.replaceState(null, '', linkTo('home'))
      setInvite(found)
    }
    take()
    window.addEventListener('hashchange', take)
    return () => window.removeEventListener('hashchange', take)
  }, [])
  return { invite, close: () => setInvite(undefined) }
}

import { useEffect, useState } from 'react'
import type { ReadInvite } from '#shared/contract/people/invites.js'
import { useClient } from '../../stores/hooks.js'
import { sentenceOf } from '../feedback/use-action.js'

/** What the node looks through of a pasted text, in characters. */
const MAX_READ = 20_000

/** What a text says as an invite, or why it could not be read; undefined until the node has answered for this text. */
export function useReadInvite(text: string): { read: ReadInvite } | { failed: string } | undefined {
  const client = useClient()
  const [answer, setAnswer] = useState<{ text: string; is: { read: ReadInvite } | { failed: string } }>()
  useEffect(() => {
    if (text.trim() === '') return
    let isStale = false
    const keep = (is: { read: ReadInvite } | { failed: string }): void => {
      if (!isStale) setAnswer({ text, is })
    }
    client.call('people.readInvite', { text: text.slice(0, MAX_READ) }).then(
      (read) => keep({ read }),
      (error: unknown) => keep({ failed: sentenceOf(error) }),
    )
    return () => {
      isStale = true
    }
  }, [client, text])
  return answer?.text === text ? answer.is : undefined
}

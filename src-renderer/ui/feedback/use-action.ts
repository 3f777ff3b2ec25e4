import { useCallback, useState } from 'react'
import { AppError } from '#shared/errors.js'
import { strings } from '../../strings.js'
import { toast } from './toasts.js'

/** What went wrong, as a person is told: the sentence and its code. */
export function sentenceOf(error: unknown): string {
  if (error instanceof AppError) return `${error.message} ${strings.offline.code(error.code)}`
  return error instanceof Error ? error.message : strings.state.failed
}

/** Runs what a button does, one at a time: says `done` when it worked and why when it did not. */
export function useAction(): {
  busy: boolean
  run: (action: () => Promise<unknown>, done?: string) => void
} {
  const [busy, setBusy] = useState(false)
  const run = useCallback((action: () => Promise<unknown>, done?: string) => {
    setBusy(true)
    action()
      .then(
        () => done !== undefined && toast('good', done),
        (error: unknown) => {
          // The banner over every page says so already.
          if (error instanceof AppError && error.code === 'node_not_running') return
          toast('bad', sentenceOf(error))
        },
      )
      .finally(() => setBusy(false))
  }, [])
  return { busy, run }
}

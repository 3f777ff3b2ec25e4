import { useEffect, useState } from 'react'
import { strings } from '../../strings.js'
import { Button } from './button.js'

const SHOWN_MS = 2000

/** Puts a text on the clipboard and says so. */
export function CopyButton({
  text,
  primary = false,
  label = strings.copy.copy,
}: {
  text: string
  primary?: boolean
  /** Says what is copied, where "Copy" alone does not. */
  label?: string
}) {
  const [result, setResult] = useState<'copied' | 'failed'>()

  useEffect(() => {
    if (result === undefined) return
    const timer = setTimeout(() => setResult(undefined), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [result])

  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setResult('copied'),
      () => setResult('failed'),
    )
  }
  return (
    <Button icon={result === 'copied' ? 'check' : 'copy'} onClick={copy} primary={primary}>
      <span aria-live="polite">{result === undefined ? label : strings.copy[result]}</span>
    </Button>
  )
}

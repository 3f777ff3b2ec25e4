import { useEffect, useState } from 'react'
import { strings } from '../../strings.js'
import { Button } from './button.js'
import { IconButton } from './icon-button.js'

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
  const { result, copy } = useCopy(text)
  return (
    <Button icon={result === 'copied' ? 'check' : 'copy'} onClick={copy} primary={primary}>
      <span aria-live="polite">{result === undefined ? label : strings.copy[result]}</span>
    </Button>
  )
}

/** The same in the room of an icon; its words name what is copied. */
export function CopyIcon({
  text,
  label,
  isStop = true,
}: {
  text: string
  label: string
  /** False where the keyboard passes it by. */
  isStop?: boolean
}) {
  const { result, copy } = useCopy(text)
  return (
    <>
      <IconButton icon={result === 'copied' ? 'check' : 'copy'} label={label} onClick={copy} isStop={isStop} />
      <span className="visually-hidden" aria-live="polite">
        {result === undefined ? '' : strings.copy[result]}
      </span>
    </>
  )
}

/** Copies a text, and for a moment knows how that went. */
function useCopy(text: string): { result: 'copied' | 'failed' | undefined; copy: () => void } {
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
  return { result, copy }
}

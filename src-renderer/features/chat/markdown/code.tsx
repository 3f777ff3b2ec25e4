import type { createLowlight } from 'lowlight'
import { useEffect, useState, type ReactNode } from 'react'
import { strings } from '../../../strings.js'
import { CopyButton } from '../../../ui/controls/copy-button.js'
import { Visible } from '../../../ui/text/visible.js'
import styles from './code.module.css'

const { chat: words } = strings

type Highlighter = ReturnType<typeof createLowlight>
type Highlighted = ReturnType<Highlighter['highlight']>['children'][number]

/** Longer code is not coloured. */
const MAX_CHARS = 40_000

/** The highlighter, once some code needed it. */
let loading: Promise<Highlighter> | undefined
function loadHighlighter(): Promise<Highlighter> {
  loading ??= import('lowlight').then(({ common, createLowlight: create }) => create(common))
  return loading
}

/** A block of code with the name of its language, its colours and a button that copies it. */
export function Code({ text, language }: { text: string; language: string }) {
  const highlighter = useHighlighter(language !== '' && text.length <= MAX_CHARS)
  const isKnown = highlighter?.registered(language) === true
  return (
    <div className={styles['block']}>
      <div className={styles['head']}>
        <span className={styles['language']}>{language}</span>
        <CopyButton text={text} label={words.copyCode} />
      </div>
      <pre tabIndex={0} aria-label={words.code(language)}>
        <code>{isKnown ? drawn(highlighter.highlight(language, text).children) : <Visible text={text} />}</code>
      </pre>
    </div>
  )
}

function useHighlighter(isWanted: boolean): Highlighter | undefined {
  const [highlighter, setHighlighter] = useState<Highlighter>()
  useEffect(() => {
    if (!isWanted) return
    let isGone = false
    // Without it the code is there all the same.
    loadHighlighter().then(
      (loaded) => !isGone && setHighlighter(loaded),
      () => (loading = undefined),
    )
    return () => void (isGone = true)
  }, [isWanted])
  return highlighter
}

function drawn(nodes: readonly Highlighted[]): ReactNode {
  return nodes.map((node, index) => {
    if (node.type === 'text') return <Visible key={index} text={node.value} />
    if (node.type !== 'element') return null
    const names: unknown = node.properties['className']
    const classes = Array.isArray(names) ? names.map((name) => styles[String(name).replace('hljs-', '')]) : []
    return (
      <span key={index} className={classes.find((name) => name !== undefined)}>
        {drawn(node.children)}
      </span>
    )
  })
}

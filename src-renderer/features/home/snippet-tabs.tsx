import { useId, useState, type KeyboardEvent } from 'react'
import { strings } from '../../strings.js'
import { CodeBlock } from '../../ui/code-block.js'
import styles from './snippet-tabs.module.css'
import type { Snippet } from './snippets.js'

/** One example at a time; arrow keys walk through them. */
export function SnippetTabs({ snippets }: { snippets: readonly Snippet[] }) {
  const [name, setName] = useState(snippets[0]?.name)
  const id = useId()
  const current = snippets.find((snippet) => snippet.name === name) ?? snippets[0]
  if (current === undefined) return null

  const walk = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0) return
    const next = snippets.at((snippets.indexOf(current) + step) % snippets.length)
    setName(next?.name)
    event.currentTarget.querySelector<HTMLElement>(`[data-name="${next?.name ?? ''}"]`)?.focus()
  }

  return (
    <div>
      <div role="tablist" aria-label={strings.home.snippets} className={styles['tabs']} onKeyDown={walk}>
        {snippets.map((snippet) => (
          <button
            key={snippet.name}
            type="button"
            role="tab"
            data-name={snippet.name}
            aria-selected={snippet === current}
            aria-controls={id}
            tabIndex={snippet === current ? 0 : -1}
            className={styles['tab']}
            onClick={() => setName(snippet.name)}
          >
            {snippet.name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={id} aria-label={current.name}>
        <CodeBlock code={current.code} label={current.name} />
      </div>
    </div>
  )
}

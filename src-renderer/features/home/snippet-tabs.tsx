import { useState } from 'react'
import { strings } from '../../strings.js'
import { CodeBlock } from '../../ui/text/code-block.js'
import { Tabs } from '../../ui/controls/tabs.js'
import styles from './home-page.module.css'
import type { Snippet } from './snippets.js'

/** One example at a time. */
export function SnippetTabs({ snippets }: { snippets: readonly Snippet[] }) {
  const [name, setName] = useState(snippets[0]?.name ?? '')
  const current = snippets.find((snippet) => snippet.name === name) ?? snippets[0]
  if (current === undefined) return null
  return (
    <Tabs
      label={strings.home.snippets}
      names={snippets.map((snippet) => snippet.name)}
      current={current.name}
      onChange={setName}
    >
      {current.where !== undefined && <p className={styles['where']}>{current.where}</p>}
      <CodeBlock code={current.code} label={current.name} />
    </Tabs>
  )
}

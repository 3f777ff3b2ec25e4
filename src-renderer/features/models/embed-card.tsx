import { useState, type SubmitEvent } from 'react'
import { embed, likeness, type Embeddings } from '../../stores/embeddings.js'
import { useClient } from '../../stores/hooks.js'
import { formatMs, formatNumber } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { Field } from '../../ui/inputs/field.js'
import { Card } from '../../ui/layout/card.js'
import { Facts } from '../../ui/layout/facts.js'
import styles from './model-detail.module.css'

const { embed: words } = strings.models
/** Enough of a vector to see that it is one. */
const SHOWN_VALUES = 6

/** Tries a model that embeds: two texts, and how alike it finds them. */
export function EmbedCard({ model }: { model: string }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [texts, setTexts] = useState<readonly [string, string]>(words.examples)
  const [result, setResult] = useState<Embeddings>()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    run(async () => setResult(await embed(client, model, texts)))
  }
  const [first = [], second = []] = result?.vectors ?? []
  return (
    <Card title={words.title}>
      <form className={styles['embed']} onSubmit={submit}>
        <Field label={words.first} value={texts[0]} onChange={(text) => setTexts([text, texts[1]])} />
        <Field label={words.second} value={texts[1]} onChange={(text) => setTexts([texts[0], text])} />
        <Button submit primary disabled={busy || texts.some((text) => text.trim() === '')}>
          {words.run}
        </Button>
      </form>
      <div role="status">
        {result !== undefined && (
          <Facts
            facts={[
              { name: words.likeness, hint: words.likenessHint, value: words.percent(likeness(first, second)) },
              { name: words.length, value: formatNumber(first.length) },
              {
                name: words.values,
                value: (
                  <code>{[...first.slice(0, SHOWN_VALUES).map((value) => value.toFixed(4)), '…'].join(', ')}</code>
                ),
              },
              { name: words.took, value: formatMs(result.ms) },
            ]}
          />
        )}
      </div>
    </Card>
  )
}

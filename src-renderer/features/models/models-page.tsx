import { useState } from 'react'
import type { ModelView } from '#shared/contract/models.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Badge } from '../../ui/badge.js'
import { Card } from '../../ui/card.js'
import { DataTable, type Column } from '../../ui/data-table.js'
import { Empty } from '../../ui/empty.js'
import { FeedView } from '../../ui/feed-view.js'
import { Icon } from '../../ui/icon.js'
import { Page } from '../../ui/page.js'
import styles from './models-page.module.css'

const { column, ...words } = strings.models

const COLUMNS: readonly Column<ModelView>[] = [
  {
    key: 'model',
    header: column.model,
    wide: true,
    cell: (model) => (
      <code className={styles['id']} title={model.id}>
        {model.id}
      </code>
    ),
  },
  {
    key: 'where',
    header: column.where,
    cell: (model) => {
      const others = model.providers.filter((provider) => !provider.self).length
      return (
        <span className={styles['where']}>
          {model.local && <Badge tone="accent">{words.here}</Badge>}
          {others > 0 && <Badge>{words.peers(others)}</Badge>}
        </span>
      )
    },
  },
  {
    key: 'context',
    header: column.context,
    hint: strings.glossary.context,
    numeric: true,
    cell: (model) => (model.contextLength === undefined ? strings.unknown : words.context(model.contextLength)),
  },
  {
    key: 'providers',
    header: column.providers,
    hint: strings.glossary.provider,
    numeric: true,
    cell: (model) => model.providers.length,
  },
  {
    key: 'shared',
    header: column.shared,
    cell: (model) => {
      if (!model.local) return strings.unknown
      return model.shared ? <Badge tone="good">{words.shared}</Badge> : <Badge>{words.notShared}</Badge>
    },
  },
]

/** "What can I use right now?" */
export function ModelsPage() {
  const state = useFeed('models')
  const [query, setQuery] = useState('')
  const n = dataOf(state)?.length
  return (
    <Page
      name={strings.nav.models}
      sentence={n === undefined ? strings.state.loading : words.sentence(n)}
      actions={n === undefined || n === 0 ? undefined : <Search value={query} onChange={setQuery} />}
    >
      <FeedView state={state}>{(models) => <ModelList models={models} query={query} />}</FeedView>
    </Page>
  )
}

function ModelList({ models, query }: { models: readonly ModelView[]; query: string }) {
  const wanted = query.trim().toLowerCase()
  const found = models.filter((model) => model.id.toLowerCase().includes(wanted))
  const sorted = found.toSorted((a, b) => a.id.localeCompare(b.id, 'en'))
  return (
    <Card flush>
      {models.length === 0 && (
        <Empty icon="models" title={words.empty}>
          {words.emptyHint}
        </Empty>
      )}
      {models.length > 0 && sorted.length === 0 && <Empty icon="search" title={words.noMatch(query)} />}
      {sorted.length > 0 && (
        <DataTable label={strings.nav.models} columns={COLUMNS} rows={sorted} rowKey={(model) => model.id} />
      )}
    </Card>
  )
}

function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <label className={styles['search']}>
      <Icon name="search" size={16} />
      <input
        type="search"
        value={value}
        placeholder={words.search}
        aria-label={words.search}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}

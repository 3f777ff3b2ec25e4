import { useState } from 'react'
import type { ModelView } from '#shared/contract/models/models.js'
import { useFavourites } from '../../stores/favourites.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { isReachable, peersById } from '../../stores/model-use.js'
import { goTo } from '../../stores/use-route.js'
import { strings } from '../../strings.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { SearchBox } from '../../ui/inputs/search-box.js'
import { Segmented } from '../../ui/inputs/segmented.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import { DataTable } from '../../ui/table/data-table.js'
import { bestPath } from './best-path.js'
import { MODEL_COLUMNS, type ModelRow } from './columns.js'
import { loadOf } from './load.js'
import { measuredOf, requestsByModel } from './measured.js'
import { ModelDetail } from './model-detail.js'

const { models: words } = strings

const FILTERS = ['all', 'favourites', 'here', 'peers'] as const
type Filter = (typeof FILTERS)[number]

/** "What can I use right now?" */
export function ModelsPage({ item }: { item: string | undefined }) {
  return item === undefined ? <ModelList /> : <ModelDetail key={item} id={item} />
}

function ModelList() {
  const state = useFeed('models')
  const [query, setQuery] = useState('')
  const [filter, setFilter] = useState<Filter>('all')
  const models = dataOf(state)
  const n = models?.length
  const peers = peersById(dataOf(useFeed('peers')) ?? [])
  const sentence = (): string => {
    if (models === undefined) return strings.state.loading
    const usable = models.filter((model) => isReachable(model, peers)).length
    return words.sentence(usable, models.length - usable)
  }
  return (
    <Page
      name={strings.nav.models}
      sentence={sentence()}
      actions={
        n !== undefined &&
        n > 0 && (
          <>
            <Segmented
              label={words.filter.label}
              options={FILTERS.map((value) => ({ value, label: words.filter[value] }))}
              value={filter}
              onChange={setFilter}
            />
            <SearchBox label={words.search} value={query} onChange={setQuery} />
          </>
        )
      }
    >
      <FeedView state={state}>{(models) => <Rows models={models} query={query} filter={filter} />}</FeedView>
    </Page>
  )
}

function Rows({ models, query, filter }: { models: readonly ModelView[]; query: string; filter: Filter }) {
  const peers = peersById(dataOf(useFeed('peers')) ?? [])
  const traffic = dataOf(useFeed('traffic')) ?? []
  const favourites = useFavourites(({ ids }) => ids)
  // Once for all models: there may be many of both.
  const byModel = requestsByModel(traffic)
  const wanted = query.trim().toLowerCase()
  const rows = models
    .filter((model) => model.id.toLowerCase().includes(wanted) && fits(model, filter, favourites))
    .sort(
      (a, b) => Number(favourites.includes(b.id)) - Number(favourites.includes(a.id)) || a.id.localeCompare(b.id, 'en'),
    )
    .map((model): ModelRow => ({
      model,
      best: bestPath(model, peers),
      reachable: isReachable(model, peers),
      load: loadOf(model.providers),
      measured: measuredOf(byModel.get(model.id) ?? [], { model: model.id }),
    }))
  return (
    <Card title={wanted === '' && filter === 'all' ? undefined : words.shown(rows.length, models.length)} flush>
      {models.length === 0 && (
        <Empty icon="models" title={words.empty}>
          {words.emptyHint}
        </Empty>
      )}
      {models.length > 0 && rows.length === 0 && (
        <Empty icon="search" title={wanted === '' ? words.noMatchFilter : words.noMatch(query)} />
      )}
      {rows.length > 0 && (
        <DataTable
          label={strings.nav.models}
          columns={MODEL_COLUMNS}
          rows={rows}
          rowKey={rowKey}
          dim={({ reachable }) => !reachable}
          onOpen={({ model }) => goTo('models', model.id)}
        />
      )}
    </Card>
  )
}

const rowKey = ({ model }: ModelRow): string => model.id

function fits(model: ModelView, filter: Filter, favourites: readonly string[]): boolean {
  if (filter === 'all') return true
  if (filter === 'favourites') return favourites.includes(model.id)
  return filter === 'here' ? model.local : model.providers.some((provider) => !provider.self)
}

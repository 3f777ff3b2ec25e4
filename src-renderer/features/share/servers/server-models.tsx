import { useState, type ReactNode } from 'react'
import type { DetectedModel } from '#shared/contract/sharing/detection.js'
import { VISIBILITIES } from '#shared/contract/sharing/visibility.js'
import { strings } from '../../../strings/all.js'
import { formatBytes } from '../../../strings/format.js'
import { Empty } from '../../../ui/feedback/empty.js'
import { SearchBox } from '../../../ui/inputs/search-box.js'
import { Segmented } from '../../../ui/inputs/segmented.js'
import { Select } from '../../../ui/inputs/select.js'
import { DataTable, type Column } from '../../../ui/table/data-table.js'
import { Badge } from '../../../ui/text/badge.js'
import { Visible } from '../../../ui/text/visible.js'
import { nameProblem, type Names } from './names.js'
import { commonVisibility, editModels, tickedIds, type Edits, type Selection } from './selection.js'
import styles from './server-models.module.css'

const { share: words } = strings
const OPTIONS = VISIBILITIES.map((value) => ({ value, label: words.visibility[value] }))

/** A server with more models than these has a search for them. */
const SEARCHED_FROM = 20

/** The models of a server, each with its tick and who may use it. */
export function ServerModels({
  models,
  selection,
  edits,
  onEdit,
  names,
  onNames,
}: {
  models: readonly DetectedModel[]
  selection: Selection
  edits: Edits
  onEdit: (edits: Edits) => void
  names: Names
  onNames: (names: Names) => void
}) {
  const [query, setQuery] = useState('')
  const wanted = query.trim().toLowerCase()
  const found = models.filter(({ id }) => id.toLowerCase().includes(wanted))
  const choices = new Map(selection.models.map((choice) => [choice.model, choice]))
  const ticked = new Set(tickedIds(selection))
  const columns: readonly Column<DetectedModel>[] = [
    {
      key: 'model',
      header: words.column.model,
      cell: (model) => (
        <label className={styles['model']} title={model.id}>
          <input
            type="checkbox"
            aria-label={words.shareModel(model.id)}
            checked={ticked.has(model.id)}
            onChange={({ target }) => onEdit(editModels(edits, [model.id], { ticked: target.checked }))}
          />
          <code>
            <Visible text={model.id} />
          </code>
          {model.loaded === true && (
            <span className={styles['loaded']}>
              <Badge tone="good">{words.loaded}</Badge>
            </span>
          )}
        </label>
      ),
    },
    {
      key: 'visibility',
      header: words.column.visibility,
      width: 160,
      cell: ({ id }) => (
        <Select
          label={words.visibilityOf(id)}
          options={OPTIONS}
          value={choices.get(id)?.visibility ?? 'me'}
          disabled={!ticked.has(id)}
          onChange={(visibility) => onEdit(editModels(edits, [id], { visibility }))}
        />
      ),
    },
    {
      key: 'names',
      header: words.column.names,
      hint: words.names.hint,
      width: 150,
      minor: 3,
      cell: ({ id: model }) => {
        if (!ticked.has(model)) return null
        const problem = nameProblem(names, [...ticked], model)
        return (
          <input
            className={styles['names']}
            aria-label={words.names.label(model)}
            aria-invalid={problem !== undefined}
            title={problem === undefined ? undefined : words.names.problem[problem]}
            placeholder={words.names.placeholder}
            value={names[model] ?? ''}
            spellCheck={false}
            autoComplete="off"
            maxLength={1000}
            onChange={({ target }) => onNames({ ...names, [model]: target.value })}
          />
        )
      },
    },
    {
      key: 'context',
      header: words.column.context,
      hint: strings.glossary.context,
      numeric: true,
      width: 120,
      minor: 1,
      cell: ({ contextLength }) => (contextLength === null ? strings.unknown : strings.models.context(contextLength)),
    },
    {
      key: 'parameters',
      header: words.column.parameters,
      numeric: true,
      width: 110,
      minor: 1,
      cell: ({ parameters }) => parameters ?? strings.unknown,
    },
    {
      key: 'quantisation',
      header: words.column.quantisation,
      minor: 1,
      width: 100,
      cell: ({ quantisation }) => (quantisation === null ? strings.unknown : <Visible text={quantisation} />),
    },
    {
      key: 'size',
      header: words.column.size,
      numeric: true,
      width: 90,
      minor: 2,
      cell: ({ sizeBytes }) => (sizeBytes === null ? strings.unknown : formatBytes(sizeBytes)),
    },
  ]
  return (
    <>
      <ForAll selection={selection} found={found.map(({ id }) => id)} edits={edits} onEdit={onEdit}>
        {models.length > SEARCHED_FROM && <SearchBox label={strings.models.search} value={query} onChange={setQuery} />}
      </ForAll>
      {found.length === 0 && models.length > 0 ? (
        <Empty icon="search" title={strings.models.noMatch(query)} />
      ) : (
        <DataTable label={words.models} columns={columns} rows={found} rowKey={(model) => model.id} />
      )}
      <LaterModels later={selection.later} onChange={(later) => onEdit({ ...edits, later })} />
    </>
  )
}

/** Ticks all models that were found or none of them, and says for all ticked ones who may use them. */
function ForAll({
  selection,
  found,
  edits,
  onEdit,
  children,
}: {
  selection: Selection
  found: readonly string[]
  edits: Edits
  onEdit: (edits: Edits) => void
  children: ReactNode
}) {
  const ticked = tickedIds(selection)
  const isTicked = new Set(ticked)
  const shown = found.filter((id) => isTicked.has(id)).length
  const common = commonVisibility(selection)
  return (
    <div className={styles['forAll']}>
      <label className={styles['tick']}>
        <input
          type="checkbox"
          checked={found.length > 0 && shown === found.length}
          ref={(box) => {
            if (box !== null) box.indeterminate = shown > 0 && shown < found.length
          }}
          onChange={({ target }) => onEdit(editModels(edits, found, { ticked: target.checked }))}
        />
        {words.ticked(ticked.length, selection.models.length)}
      </label>
      {children}
      <Segmented
        label={words.whoMayUse}
        options={OPTIONS}
        value={common}
        onChange={(visibility) => onEdit(editModels(edits, ticked, { visibility }))}
      />
      <p className={styles['means']} aria-live="polite">
        {ticked.length > 0 && (common === undefined ? words.visibilityMixed : words.visibilityMeans[common])}
      </p>
    </div>
  )
}

/** What becomes of models that the server gets later. */
function LaterModels({
  later,
  onChange,
}: {
  later: Selection['later']
  onChange: (later: Selection['later']) => void
}) {
  return (
    <div className={styles['later']}>
      <label className={styles['tick']}>
        <input
          type="checkbox"
          checked={later !== null}
          onChange={({ target }) => onChange(target.checked ? 'me' : null)}
        />
        {words.allModels}
      </label>
      {later !== null && <Select label={words.visibilityOfLater} options={OPTIONS} value={later} onChange={onChange} />}
    </div>
  )
}

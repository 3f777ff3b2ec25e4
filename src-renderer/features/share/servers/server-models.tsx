import { useId } from 'react'
import type { DetectedModel } from '#shared/contract/sharing/detection.js'
import { formatBytes } from '../../../strings/format.js'
import { strings } from '../../../strings.js'
import { DataTable, type Column } from '../../../ui/table/data-table.js'
import { Badge } from '../../../ui/text/badge.js'
import { nameProblem, type Names } from './names.js'
import styles from './server-models.module.css'
import { tickedIds, toggleTick, type Ticks } from './ticks.js'

const { share: words } = strings

/** The models of a server, each with its tick. */
export function ServerModels({
  models,
  ticks,
  onChange,
  names,
  onNames,
}: {
  models: readonly DetectedModel[]
  ticks: Ticks
  onChange: (ticks: Ticks) => void
  names: Names
  onNames: (names: Names) => void
}) {
  const id = useId()
  const ticked = new Set(tickedIds(models, ticks))
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
            onChange={() => onChange(toggleTick(models, ticks, model.id))}
          />
          <code>{model.id}</code>
          {model.loaded === true && <Badge tone="good">{words.loaded}</Badge>}
        </label>
      ),
    },
    {
      key: 'names',
      header: words.column.names,
      hint: words.names.hint,
      width: 170,
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
      minor: true,
      cell: ({ contextLength }) => (contextLength === null ? strings.unknown : strings.models.context(contextLength)),
    },
    {
      key: 'parameters',
      header: words.column.parameters,
      numeric: true,
      width: 110,
      minor: true,
      cell: ({ parameters }) => parameters ?? strings.unknown,
    },
    {
      key: 'quantisation',
      header: words.column.quantisation,
      width: 100,
      cell: ({ quantisation }) => quantisation ?? strings.unknown,
    },
    {
      key: 'size',
      header: words.column.size,
      numeric: true,
      width: 90,
      cell: ({ sizeBytes }) => (sizeBytes === null ? strings.unknown : formatBytes(sizeBytes)),
    },
  ]
  return (
    <>
      <DataTable label={words.models} columns={columns} rows={models} rowKey={(model) => model.id} />
      <label className={styles['all']} htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          checked={ticks === 'all'}
          onChange={(event) => onChange(event.target.checked ? 'all' : [...ticked])}
        />
        {words.allModels}
      </label>
    </>
  )
}

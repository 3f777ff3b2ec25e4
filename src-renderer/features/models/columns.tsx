import type { ModelView } from '#shared/contract/models/models.js'
import { linkTo } from '../../stores/route.js'
import { formatMs } from '../../strings/format.js'
import { strings } from '../../strings.js'
import type { Column } from '../../ui/table/data-table.js'
import { Badge } from '../../ui/text/badge.js'
import { LongName } from '../../ui/text/long-name.js'
import { PathBadge } from '../../ui/text/path-badge.js'
import { rankOf, type BestPath } from './best-path.js'
import { LoadCell } from './load-cell.js'
import { fullness, type ModelLoad } from './load.js'
import type { Measured } from './measured.js'
import styles from './models-page.module.css'

const { column, ...words } = strings.models

/** A model with what is known of the way to it. */
export interface ModelRow {
  model: ModelView
  best: BestPath
  load: ModelLoad | undefined
  measured: Measured
}

/** The columns of the list. */
export const MODEL_COLUMNS: readonly Column<ModelRow>[] = [
  {
    key: 'model',
    header: column.model,
    sortBy: ({ model }) => model.id,
    cell: ({ model }) => (
      <a
        className={styles['id']}
        href={linkTo('models', model.id)}
        title={words.named(model.id, words.facts(model))}
        aria-label={model.id}
      >
        <LongName name={model.id} />
      </a>
    ),
  },
  {
    key: 'path',
    header: column.path,
    hint: words.pathHint,
    width: 150,
    sortBy: ({ best }) => rankOf(best),
    cell: ({ best }) => <Best best={best} />,
  },
  {
    key: 'rtt',
    header: column.rtt,
    hint: strings.glossary.rtt,
    numeric: true,
    width: 92,
    minor: 1,
    sortBy: ({ best }) => (best.kind === 'peer' ? (best.rttMs ?? null) : null),
    cell: ({ best }) => (best.kind === 'peer' && best.rttMs !== undefined ? formatMs(best.rttMs) : strings.unknown),
  },
  {
    key: 'providers',
    header: column.providers,
    hint: strings.glossary.provider,
    numeric: true,
    width: 86,
    minor: 1,
    sortBy: ({ model }) => model.providers.length,
    cell: ({ model }) => model.providers.length,
  },
  {
    key: 'load',
    header: column.load,
    hint: words.load.columnHint,
    numeric: true,
    width: 88,
    sortBy: ({ load }) => fullness(load),
    cell: ({ load }) => <LoadCell load={load} />,
  },
  {
    key: 'context',
    header: column.context,
    hint: strings.glossary.context,
    numeric: true,
    width: 116,
    sortBy: ({ model }) => model.contextLength ?? null,
    cell: ({ model }) =>
      model.contextLength === undefined ? strings.unknown : model.contextLength.toLocaleString('en'),
  },
  {
    key: 'ttft',
    header: column.ttft,
    hint: words.measured,
    numeric: true,
    minor: 2,
    width: 96,
    sortBy: ({ measured }) => measured.ttftMs,
    cell: ({ measured }) => (measured.ttftMs === null ? strings.unknown : formatMs(measured.ttftMs)),
  },
  {
    key: 'speed',
    header: column.speed,
    hint: words.measured,
    numeric: true,
    width: 84,
    sortBy: ({ measured }) => measured.tokensPerSecond,
    cell: ({ measured }) => measured.tokensPerSecond?.toFixed(1) ?? strings.unknown,
  },
  {
    key: 'shared',
    header: column.shared,
    width: 96,
    minor: 1,
    cell: ({ model }) => {
      if (!model.local) return strings.unknown
      return model.shared ? <Badge tone="good">{words.shared}</Badge> : <Badge>{words.notShared}</Badge>
    },
  },
]

function Best({ best }: { best: BestPath }) {
  if (best.kind === 'here') return <Badge tone="accent">{words.here}</Badge>
  if (best.kind === 'none') return <Badge title={words.noPathHint}>{words.noPath}</Badge>
  return <PathBadge path={best.path} />
}

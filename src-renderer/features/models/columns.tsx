import type { ModelView } from '#shared/contract/models/models.js'
import { useFavourites } from '../../stores/favourites.js'
import { linkTo } from '../../stores/route.js'
import { formatBytes, formatDecimal, formatMs, formatTokens } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { CopyIcon } from '../../ui/controls/copy-button.js'
import { IconButton } from '../../ui/controls/icon-button.js'
import type { Column } from '../../ui/table/data-table.js'
import { Badge } from '../../ui/text/badge.js'
import { DemoBadge } from '../../ui/text/demo-badge.js'
import { LongName } from '../../ui/text/long-name.js'
import { PathBadge } from '../../ui/text/path-badge.js'
import { rankOf, type BestPath } from './best-path.js'
import { KindBadges } from './kind-badges.js'
import { LoadCell } from './load-cell.js'
import { fullness, type ModelLoad } from './load.js'
import type { Measured } from './measured.js'
import styles from './models-page.module.css'

const { column, ...words } = strings.models

/** A model with what is known of the way to it. */
export interface ModelRow {
  model: ModelView
  best: BestPath
  /** A request would reach someone. */
  reachable: boolean
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
      <span className={styles['name']}>
        <Star id={model.id} />
        <a
          className={styles['id']}
          href={linkTo('models', model.id)}
          title={words.named(model.id, words.facts(model))}
          aria-label={model.id}
        >
          <LongName name={model.id} />
        </a>
        <DemoBadge model={model.id} />
        <span className={styles['copy']}>
          <CopyIcon text={model.id} label={words.copyId(model.id)} />
        </span>
      </span>
    ),
  },
  { key: 'kind', header: column.kind, width: 128, minor: 3, cell: ({ model }) => <KindBadges model={model} /> },
  {
    key: 'path',
    header: column.path,
    hint: words.pathHint,
    minor: 5,
    width: 142,
    sortBy: ({ best }) => rankOf(best),
    cell: ({ best, reachable }) => <Best best={best} isReachable={reachable} />,
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
    largestFirst: true,
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
    minor: 4,
    width: 96,
    sortBy: ({ load }) => fullness(load),
    cell: ({ load }) => <LoadCell load={load} />,
  },
  {
    key: 'context',
    largestFirst: true,
    header: column.context,
    hint: strings.glossary.context,
    numeric: true,
    width: 96,
    minor: 2,
    has: ({ model }) => model.contextLength !== undefined,
    sortBy: ({ model }) => model.contextLength ?? null,
    cell: ({ model }) => (
      <span title={model.contextLength === undefined ? undefined : words.context(model.contextLength)}>
        {model.contextLength === undefined ? strings.unknown : formatTokens(model.contextLength)}
      </span>
    ),
  },
  {
    key: 'size',
    largestFirst: true,
    header: column.size,
    hint: words.sizeHint,
    numeric: true,
    width: 132,
    minor: 3,
    has: ({ model }) => sizeOf(model) !== strings.unknown,
    sortBy: ({ model }) => model.sizeBytes ?? null,
    cell: ({ model }) => sizeOf(model),
  },
  {
    key: 'ttft',
    header: column.ttft,
    hint: words.measured,
    numeric: true,
    minor: 1,
    width: 118,
    sortBy: ({ measured }) => measured.ttftMs,
    cell: ({ measured }) => (measured.ttftMs === null ? strings.unknown : formatMs(measured.ttftMs)),
  },
  {
    key: 'speed',
    largestFirst: true,
    header: column.speed,
    hint: words.measured,
    numeric: true,
    minor: 4,
    width: 100,
    sortBy: ({ measured }) => measured.tokensPerSecond,
    cell: ({ measured }) =>
      measured.tokensPerSecond === null ? strings.unknown : formatDecimal(measured.tokensPerSecond, 1),
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

/** How large and how much it was shrunk: `8.0B · Q4_K_M`, else its bytes. */
function sizeOf({ parameters, quantization, sizeBytes }: ModelView): string {
  const parts = [parameters, quantization].filter((part) => part !== undefined && part !== '')
  if (parts.length > 0) return parts.join(' · ')
  return sizeBytes === undefined ? strings.unknown : formatBytes(sizeBytes)
}

function Star({ id }: { id: string }) {
  const { ids, toggle } = useFavourites()
  const isOn = ids.includes(id)
  return (
    <span className={isOn ? styles['starred'] : styles['star']}>
      <IconButton icon="star" label={words.favourite(id)} pressed={isOn} onClick={() => toggle(id)} />
    </span>
  )
}

function Best({ best, isReachable }: { best: BestPath; isReachable: boolean }) {
  if (best.kind === 'here') return <Badge tone="accent">{words.here}</Badge>
  if (!isReachable) {
    return (
      <Badge tone="warn" title={words.awayHint}>
        {words.away}
      </Badge>
    )
  }
  if (best.kind === 'none') return <Badge title={words.noPathHint}>{words.noPath}</Badge>
  return <PathBadge path={best.path} />
}

import type { ModelProvider, ModelView } from '#shared/contract/models/models.js'
import type { PeerView } from '#shared/contract/network/peers.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { peersById } from '../../stores/model-use.js'
import { formatDecimal, formatMs } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/layout/card.js'
import { DataTable, type Column } from '../../ui/table/data-table.js'
import { Badge } from '../../ui/text/badge.js'
import { CodeBlock } from '../../ui/text/code-block.js'
import { PathBadge } from '../../ui/text/path-badge.js'
import { PeerName } from '../../ui/text/peer-name.js'
import { UnsignedBadge } from '../../ui/text/unsigned-badge.js'
import { LoadCell } from './load-cell.js'
import { fullness, loadOf } from './load.js'
import { measuredOf, type Measured } from './measured.js'
import { choose, headersFor, type Preferences } from './preferences.js'
import styles from './providers-card.module.css'
import { likenessOf, referenceDigest } from './same-file.js'

const { detail: words, ...modelWords } = strings.models

interface ProviderRow {
  peerId: string
  self: boolean
  isUnsigned: boolean
  load: ModelProvider['load']
  /** Undefined where it can't be said. */
  file: ReturnType<typeof likenessOf>
  peer: PeerView | undefined
  measured: Measured
}

const USES = ['any', 'prefer', 'exclude'] as const

/** Who offers a model, how each is reached and what was measured. */
export function ProvidersCard({
  model,
  preferences,
  onChange,
}: {
  model: ModelView
  preferences: Preferences
  onChange: (preferences: Preferences) => void
}) {
  const peers = peersById(dataOf(useFeed('peers')) ?? [])
  const traffic = dataOf(useFeed('traffic')) ?? []
  const reference = referenceDigest(model)
  const isOwn = model.providers.some(({ self, digest }) => self && digest !== undefined)
  const rows = model.providers.map(({ peerId, self, load, digest, unsigned }): ProviderRow => ({
    ...{ peerId, self, load, isUnsigned: unsigned === true, file: likenessOf(digest, reference) },
    peer: peers.get(peerId),
    measured: measuredOf(traffic, { model: model.id, peer: self ? null : peerId }),
  }))
  const isComparable = model.providers.filter(({ digest }) => digest !== undefined).length > 1
  const compared = isComparable ? [columnOfFile(isOwn)] : []
  const columns =
    rows.length > 1 ? [...COLUMNS, ...compared, columnOfUse(preferences, onChange)] : [...COLUMNS, ...compared]
  const headers = Object.entries(headersFor(preferences))
  return (
    <Card title={words.providers} flush>
      <DataTable label={words.providers} columns={columns} rows={rows} rowKey={(row) => row.peerId} />
      {headers.length > 0 && (
        <div className={styles['headers']}>
          <p>{words.useHint}</p>
          <CodeBlock code={headers.map(([name, value]) => `${name}: ${value}`).join('\n')} label={words.useHint} />
        </div>
      )}
    </Card>
  )
}

const COLUMNS: readonly Column<ProviderRow>[] = [
  {
    key: 'provider',
    header: words.column.provider,
    hint: strings.glossary.provider,
    cell: ({ peerId, self, isUnsigned }) =>
      self ? (
        <Badge tone="accent">{words.self}</Badge>
      ) : (
        <>
          <PeerName peerId={peerId} /> {isUnsigned && <UnsignedBadge />}
        </>
      ),
  },
  { key: 'path', header: words.column.path, width: 180, cell: (row) => <Path row={row} /> },
  {
    key: 'rtt',
    header: words.column.rtt,
    hint: strings.glossary.rtt,
    numeric: true,
    minor: 1,
    width: 110,
    cell: ({ peer }) => (peer?.rttMs === undefined ? strings.unknown : formatMs(peer.rttMs)),
  },
  {
    key: 'load',
    header: words.column.load,
    hint: modelWords.load.columnHint,
    numeric: true,
    width: 100,
    sortBy: (row) => fullness(loadOf([row])),
    cell: (row) => <LoadCell load={loadOf([row])} />,
  },
  {
    key: 'ttft',
    header: words.column.ttft,
    hint: modelWords.measured,
    numeric: true,
    minor: 1,
    width: 110,
    cell: ({ measured }) => (measured.ttftMs === null ? strings.unknown : formatMs(measured.ttftMs)),
  },
  {
    key: 'speed',
    header: words.column.speed,
    hint: modelWords.measured,
    numeric: true,
    minor: 1,
    width: 100,
    cell: ({ measured }) =>
      measured.tokensPerSecond === null ? strings.unknown : formatDecimal(measured.tokensPerSecond, 1),
  },
]

function Path({ row: { self, peer } }: { row: ProviderRow }) {
  const path = peer?.paths[0]
  if (self) return strings.unknown
  if (path === undefined) return <Badge title={modelWords.noPathHint}>{modelWords.noPath}</Badge>
  return <PathBadge path={path} />
}

/** Whether each has the same file: as this computer, or, where it has none, as most. */
function columnOfFile(isOwn: boolean): Column<ProviderRow> {
  return {
    key: 'file',
    header: words.column.file,
    hint: words.file.hint,
    minor: 2,
    width: 140,
    cell: ({ self, file }) => {
      if (file === undefined) return strings.unknown
      if (file === 'other') return <Badge tone="warn">{isOwn ? words.file.notYours : words.file.other}</Badge>
      if (self) return words.file.yours
      return isOwn ? words.file.sameAsYours : words.file.same
    },
  }
}

function columnOfUse(preferences: Preferences, onChange: (preferences: Preferences) => void): Column<ProviderRow> {
  return {
    key: 'use',
    header: words.column.use,
    width: 176,
    cell: ({ peerId }) => (
      <select
        className={styles['use']}
        aria-label={words.useLabel(peerId)}
        value={preferences[peerId] ?? 'any'}
        onChange={({ target }) => {
          const use = USES.find((one) => one === target.value) ?? 'any'
          onChange(choose(preferences, peerId, use))
        }}
      >
        {USES.map((use) => (
          <option key={use} value={use}>
            {words.use[use]}
          </option>
        ))}
      </select>
    ),
  }
}

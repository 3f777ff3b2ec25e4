import { useState } from 'react'
import type { EngineInstall } from '#shared/contract/sharing/engine.js'
import { type Visibility, VISIBILITIES } from '#shared/contract/sharing/visibility.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { formatBytes } from '../../../strings/format.js'
import { Button } from '../../../ui/controls/button.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Segmented } from '../../../ui/inputs/segmented.js'
import { DataTable, type Column } from '../../../ui/table/data-table.js'
import { Visible } from '../../../ui/text/visible.js'
import styles from './pick-list.module.css'
import type { DiskRow } from './rows.js'

const { engine: words, share: shareWords } = strings
const OPTIONS = VISIBILITIES.map((value) => ({ value, label: words.visibility[value] }))

/** The models on the disk while none is served: which to share, and with whom. */
export function PickList({ rows, install }: { rows: readonly DiskRow[]; install: EngineInstall }) {
  const client = useClient()
  const { busy, run } = useAction()
  const usable = rows.filter(({ problem }) => problem === null)
  const [chosen, setChosen] = useState<ReadonlySet<string>>()
  const [visibility, setVisibility] = useState<Visibility>('everyone')
  // The only one is meant. Of several a person says which: names can't be taken back once others have seen them.
  const isTicked = ({ id }: DiskRow): boolean => chosen?.has(id) ?? usable.length === 1
  const ticked = usable.filter(isTicked)
  const tick = (row: DiskRow, isOn: boolean): void => {
    const others = ticked.filter(({ id }) => id !== row.id)
    setChosen(new Set([...others, ...(isOn ? [row] : [])].map(({ id }) => id)))
  }
  const share = async (): Promise<void> => {
    for (const [index, { id }] of ticked.entries()) {
      await client.call('engine.serve', { model: id, visibility })
      if (index === 0 && install.state === 'missing') await client.call('engine.install', {})
    }
  }
  return (
    <>
      <DataTable label={words.title} columns={columnsOf(isTicked, tick)} rows={rows} rowKey={({ id }) => id} />
      <footer className={styles['actions']}>
        <label className={styles['all']}>
          <input
            type="checkbox"
            checked={ticked.length === usable.length && usable.length > 0}
            disabled={usable.length === 0}
            ref={(box) => {
              if (box !== null) box.indeterminate = ticked.length > 0 && ticked.length < usable.length
            }}
            onChange={({ target }) => setChosen(new Set(target.checked ? usable.map(({ id }) => id) : []))}
          />
          {shareWords.ticked(ticked.length, usable.length)}
        </label>
        <Segmented label={shareWords.whoMayUse} options={OPTIONS} value={visibility} onChange={setVisibility} />
        <Button
          primary
          icon={visibility === 'me' ? 'check' : 'share'}
          disabled={busy || ticked.length === 0 || install.state === 'unsupported'}
          onClick={() => run(share)}
        >
          {ticked.length === 0
            ? shareWords.chooseOne
            : shareWords.action({ me: 0, trusted: 0, everyone: 0, [visibility]: ticked.length })}
        </Button>
      </footer>
    </>
  )
}

function columnsOf(
  isTicked: (row: DiskRow) => boolean,
  tick: (row: DiskRow, isOn: boolean) => void,
): readonly Column<DiskRow>[] {
  return [
    {
      key: 'model',
      header: words.column.model,
      cell: (row) => (
        <label className={styles['model']} title={row.problem ?? row.name}>
          <input
            type="checkbox"
            aria-label={shareWords.shareModel(row.name)}
            checked={row.problem === null && isTicked(row)}
            disabled={row.problem !== null}
            onChange={({ target }) => tick(row, target.checked)}
          />
          <code>
            <Visible text={row.name} />
          </code>
          {row.problem !== null && <small>{row.problem}</small>}
        </label>
      ),
    },
    {
      ...{ key: 'context', header: words.column.context, hint: strings.glossary.context },
      ...{ numeric: true, width: 120, minor: 2 },
      cell: ({ contextLength }) => (contextLength === null ? strings.unknown : strings.models.context(contextLength)),
    },
    {
      ...{ key: 'size', header: words.column.size, numeric: true, width: 90 },
      cell: ({ sizeBytes }) => (sizeBytes === null ? strings.unknown : formatBytes(sizeBytes)),
    },
    { key: 'from', header: words.column.from, width: 140, minor: 1, cell: ({ from }) => from },
  ]
}

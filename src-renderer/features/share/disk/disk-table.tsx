import { useState } from 'react'
import type { EngineInstall, ServedModel } from '#shared/contract/sharing/engine.js'
import { VISIBILITIES } from '#shared/contract/sharing/visibility.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { formatBytes } from '../../../strings/format.js'
import { Button } from '../../../ui/controls/button.js'
import { IconButton } from '../../../ui/controls/icon-button.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Select } from '../../../ui/inputs/select.js'
import { DataTable, type Column } from '../../../ui/table/data-table.js'
import { Badge, type Tone } from '../../../ui/text/badge.js'
import { LongName } from '../../../ui/text/long-name.js'
import styles from './disk-card.module.css'
import { ModelSettings } from './model-settings.js'
import type { DiskRow } from './rows.js'

const { engine: words } = strings
const OPTIONS = VISIBILITIES.map((value) => ({ value, label: words.visibility[value] }))
const TONES: Record<ServedModel['state'], Tone> = { idle: 'neutral', loading: 'warn', ready: 'good', failed: 'bad' }

/** The models on the disk: who may use each, and how it runs. */
export function DiskTable({ rows, install }: { rows: readonly DiskRow[]; install: EngineInstall }) {
  const [openId, setOpenId] = useState<string>()
  const open = rows.find(({ served }) => served !== undefined && served.id === openId)?.served
  const columns: readonly Column<DiskRow>[] = [
    {
      key: 'model',
      header: words.column.model,
      cell: ({ name }) => (
        <code title={name}>
          <LongName name={name} />
        </code>
      ),
    },
    {
      key: 'visibility',
      header: words.column.visibility,
      width: 170,
      cell: (row) => <Visibility row={row} install={install} />,
    },
    { key: 'state', header: words.column.state, width: 150, cell: (row) => <State row={row} install={install} /> },
    {
      ...{ key: 'size', header: words.column.size, numeric: true, width: 90, minor: 2 },
      cell: ({ sizeBytes }) => (sizeBytes === null ? strings.unknown : formatBytes(sizeBytes)),
    },
    {
      ...{
        key: 'context',
        header: words.column.context,
        hint: strings.glossary.context,
        numeric: true,
        width: 110,
        minor: 1,
      },
      cell: ({ contextLength }) => (contextLength === null ? strings.unknown : strings.models.context(contextLength)),
    },
    { key: 'from', header: words.column.from, width: 120, minor: 1, cell: ({ from }) => from },
    {
      ...{ key: 'actions', header: words.column.actions, width: 130 },
      cell: ({ served }) => served !== undefined && <Actions served={served} onSettings={() => setOpenId(served.id)} />,
    },
  ]
  return (
    <>
      <DataTable label={words.title} columns={columns} rows={rows} rowKey={({ id }) => id} />
      {open !== undefined && <ModelSettings served={open} onClose={() => setOpenId(undefined)} />}
    </>
  )
}

/** One click shares a model, and fetches the engine where it is missing; later it is a choice. */
function Visibility({ row, install }: { row: DiskRow; install: EngineInstall }) {
  const client = useClient()
  const { busy, run } = useAction()
  const { served, name, id } = row
  if (served === undefined) {
    const share = async (): Promise<void> => {
      await client.call('engine.serve', { model: id, visibility: 'everyone' })
      if (install.state === 'missing') await client.call('engine.install', {})
    }
    return (
      <Button
        disabled={busy || row.problem !== null || install.state === 'unsupported'}
        label={words.shareWith(name)}
        onClick={() => run(share)}
      >
        {words.share}
      </Button>
    )
  }
  return (
    <Select
      label={words.visibilityOf(name)}
      options={OPTIONS}
      value={served.visibility}
      disabled={busy}
      onChange={(visibility) => run(() => client.call('engine.serve', { model: served.id, visibility }))}
    />
  )
}

function State({ row: { served, problem }, install }: { row: DiskRow; install: EngineInstall }) {
  if (served === undefined) {
    if (problem === null) return null
    return (
      <Badge tone="warn" title={problem}>
        {words.state.failed}
      </Badge>
    )
  }
  if (install.state !== 'installed') return <Badge tone="warn">{words.state.waits}</Badge>
  const { state, running } = served
  const title =
    served.problem ??
    (running === null
      ? undefined
      : `${words.running(running.slots, running.busySlots, running.memoryBytes)}. ${running.note ?? ''}`.trimEnd())
  return (
    <Badge tone={TONES[state]} title={title}>
      {words.state[state]}
    </Badge>
  )
}

function Actions({ served, onSettings }: { served: ServedModel; onSettings: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  return (
    <span className={styles['actions']}>
      <IconButton icon="settings" label={words.settingsOf(served.name)} onClick={onSettings} />
      <Button
        disabled={busy}
        label={words.stopModel(served.name)}
        onClick={() => run(() => client.call('engine.unserve', { id: served.id }), words.stopped(served.name))}
      >
        {words.stop}
      </Button>
    </span>
  )
}

import { useCallback, useEffect, useState } from 'react'
import type { CallOutput } from '#shared/contract/index.js'
import type { KeyTotals, KeyView } from '#shared/contract/node/keys.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { Dialog } from '../../../ui/controls/dialog.js'
import { Empty } from '../../../ui/feedback/empty.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Card } from '../../../ui/layout/card.js'
import { type Column, DataTable } from '../../../ui/table/data-table.js'
import { Visible } from '../../../ui/text/visible.js'
import styles from './api-keys-card.module.css'
import { NewKeyDialog } from './new-key-dialog.js'

const { keys: words } = strings

/** The API keys of apps: what each was used for, a new one, and the end of one. */
export function ApiKeysCard() {
  const client = useClient()
  const { run } = useAction()
  const [answer, setAnswer] = useState<CallOutput<'keys.list'>>()
  const [open, setOpen] = useState<'new' | KeyView>()
  const load = useCallback(() => {
    run(async () => setAnswer(await client.call('keys.list', {})))
  }, [client, run])
  useEffect(load, [load])
  if (answer === undefined) return null
  const { required, keys } = answer
  const close = (): void => {
    setOpen(undefined)
    load()
  }
  return (
    <Card title={words.title} flush aside={<Button onClick={() => setOpen('new')}>{words.add.open}</Button>}>
      <p className={styles['hint']}>{words.hint(required)}</p>
      {keys.length === 0 ? (
        <Empty icon="key" title={words.none}>
          {words.noneHint(required)}
        </Empty>
      ) : (
        <DataTable label={words.title} columns={columnsOf(setOpen)} rows={keys} rowKey={({ id }) => id} />
      )}
      {open === 'new' && <NewKeyDialog onClose={close} />}
      {typeof open === 'object' && <RevokeDialog entry={open} onClose={close} />}
    </Card>
  )
}

const usageText = ({ requests, tokensIn, tokensOut }: KeyTotals): string => words.usage(requests, tokensIn + tokensOut)

function columnsOf(onRevoke: (entry: KeyView) => void): Column<KeyView>[] {
  const { column } = words
  return [
    {
      key: 'name',
      header: column.name,
      cell: ({ name, id }) => (
        <span title={`${column.id} ${id}`}>
          <Visible text={name} />
        </span>
      ),
    },
    { key: 'created', header: column.created, minor: 1, width: 100, cell: ({ createdDay }) => createdDay },
    { key: 'used', header: column.used, minor: 2, width: 100, cell: ({ lastUsedDay }) => lastUsedDay ?? words.never },
    { key: 'today', header: column.today, minor: 3, width: 215, cell: ({ usage }) => usageText(usage.today) },
    {
      key: 'all',
      header: column.sinceStart,
      minor: 1,
      width: 215,
      cell: ({ usage }) => usageText(usage.sinceStart),
    },
    {
      key: 'revoke',
      header: column.revoke,
      width: 110,
      cell: (entry) => (
        <button
          type="button"
          className={styles['revoke']}
          aria-label={words.revoke.label(entry.name)}
          onClick={() => onRevoke(entry)}
        >
          {words.revoke.open}
        </button>
      ),
    },
  ]
}

function RevokeDialog({ entry, onClose }: { entry: KeyView; onClose: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  const revoke = (): void =>
    run(async () => {
      // Whatever becomes of the file, the list tells what counts now.
      await client.call('keys.revoke', { key: entry.id }).finally(onClose)
    }, words.revoke.done(entry.name))
  return (
    <Dialog title={words.revoke.title(entry.name)} onClose={onClose}>
      <div className={styles['form']}>
        <p>{words.revoke.consequence}</p>
        <div className={styles['buttons']}>
          <Button primary disabled={busy} onClick={revoke}>
            {words.revoke.do}
          </Button>
          <Button onClick={onClose}>{strings.settings.cancel}</Button>
        </div>
      </div>
    </Dialog>
  )
}

import { useCallback, useEffect, useState } from 'react'
import type { InviteView } from '#shared/contract/people/invites.js'
import type { OwnName, Person } from '#shared/contract/people/people.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { dataOf } from '../../../stores/feed-store.js'
import { useClient, useFeed } from '../../../stores/hooks.js'
import { INVITE_ITEM } from '../../../stores/route.js'
import { goTo } from '../../../stores/use-route.js'
import { strings } from '../../../strings.js'
import { Button } from '../../../ui/controls/button.js'
import { saveText } from '../../../ui/controls/save-text.js'
import { Empty } from '../../../ui/feedback/empty.js'
import { FeedView } from '../../../ui/feedback/feed-view.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Card } from '../../../ui/layout/card.js'
import { DataTable } from '../../../ui/table/data-table.js'
import { invitesColumns, peopleColumns } from './columns.js'
import { InviteDialog } from './invite-dialog.js'
import { OwnNameDialog, RemoveDialog, RenameDialog, RevokeInviteDialog } from './people-dialogs.js'
import styles from './people.module.css'

const words = strings.people

/** What is open on the card. */
type Open =
  | { kind: 'rename' | 'remove'; person: Person }
  | { kind: 'revoke'; invite: InviteView }
  | { kind: 'own-name'; name: OwnName }

/** Whom one trusts, what one is called, and who may still come. */
export function PeopleCard({ isInviting }: { isInviting: boolean }) {
  const people = useFeed('people')
  const invites = dataOf(useFeed('invites')) ?? []
  const [open, setOpen] = useState<Open>()
  const own = useOwnName()
  const hasPeople = (dataOf(people)?.length ?? 0) > 0
  const waiting = invites.filter(({ state }) => state === 'open')
  const close = (): void => {
    setOpen(undefined)
    own.load()
  }
  return (
    <Card title={words.title} flush aside={<Actions hasPeople={hasPeople} />}>
      <div className={styles['top']}>
        {own.name !== undefined && (
          <You name={own.name} hasPeople={hasPeople} onChange={(name) => setOpen({ kind: 'own-name', name })} />
        )}
      </div>
      <FeedView state={people}>
        {(list) =>
          list.length === 0 ? (
            <Empty icon="people" title={words.empty}>
              {words.emptyHint}
            </Empty>
          ) : (
            <DataTable
              label={words.title}
              columns={peopleColumns((kind, person) => setOpen({ kind, person }))}
              rows={list}
              rowKey={({ peerId }) => peerId}
            />
          )
        }
      </FeedView>
      {waiting.length > 0 && (
        <>
          <h3 className={styles['invites']}>{words.invites.title}</h3>
          <DataTable
            label={words.invites.title}
            columns={invitesColumns((invite) => setOpen({ kind: 'revoke', invite }))}
            rows={waiting}
            rowKey={({ id }) => id}
          />
        </>
      )}
      {open?.kind === 'rename' && <RenameDialog person={open.person} onClose={close} />}
      {open?.kind === 'remove' && <RemoveDialog person={open.person} onClose={close} />}
      {open?.kind === 'revoke' && <RevokeInviteDialog invite={open.invite} onClose={close} />}
      {open?.kind === 'own-name' && <OwnNameDialog name={open.name} onClose={close} />}
      {isInviting && <InviteDialog onClose={() => goTo('network')} />}
    </Card>
  )
}

function Actions({ hasPeople }: { hasPeople: boolean }) {
  const client = useClient()
  const { busy, run } = useAction()
  const save = async (): Promise<void> =>
    saveText({ ...(await client.call('people.export', {})), mediaType: 'application/json' })
  return (
    <div className={styles['buttons']}>
      {hasPeople && (
        <Button disabled={busy} onClick={() => run(save)}>
          {words.export}
        </Button>
      )}
      <Button primary icon="plus" onClick={() => goTo('network', INVITE_ITEM)}>
        {words.invite.open}
      </Button>
    </div>
  )
}

/** What one is called, and what those one trusts may use. */
function You({ name, hasPeople, onChange }: { name: OwnName; hasPeople: boolean; onChange: (name: OwnName) => void }) {
  const shares = dataOf(useFeed('shares'))
  return (
    <>
      {hasPeople && shares !== undefined && <p>{words.intro(usableByPeople(shares))}</p>}
      <p className={styles['you']}>
        {name.name === '' ? (
          words.youUnnamed
        ) : (
          <span>
            {words.you} <strong>{name.name}</strong>
          </span>
        )}
        <button
          type="button"
          className={styles['link']}
          disabled={!name.editable}
          title={name.editable ? undefined : words.youFixed}
          onClick={() => onChange(name)}
        >
          {words.youChange}
        </button>
      </p>
    </>
  )
}

/** Models of this machine that trusted peers may use, each once. */
function usableByPeople(shares: readonly ShareView[]): number {
  const open = shares.flatMap(({ names }) => names.filter(({ visibility }) => visibility !== 'me'))
  return new Set(open.map(({ name }) => name)).size
}

function useOwnName(): { name: OwnName | undefined; load: () => void } {
  const client = useClient()
  const { run } = useAction()
  const [name, setName] = useState<OwnName>()
  const load = useCallback(() => run(async () => setName(await client.call('people.ownName', {}))), [client, run])
  useEffect(load, [load])
  return { name, load }
}

import { useState, type ReactNode, type SubmitEvent } from 'react'
import type { InviteView } from '#shared/contract/people/invites.js'
import type { OwnName, Person } from '#shared/contract/people/people.js'
import { MAX_NAME_LENGTH } from '#shared/person-names.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { Dialog } from '../../../ui/controls/dialog.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Field } from '../../../ui/inputs/field.js'
import styles from './people.module.css'

const { rename, remove, invites } = strings.people

/** Gives a person another name here. */
export function RenameDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const client = useClient()
  return (
    <NameDialog
      title={rename.title(person.label)}
      label={rename.field}
      help={rename.help}
      first={person.givenName ?? ''}
      save={(name) => client.call('people.rename', { peer: person.peerId, name })}
      onClose={onClose}
    />
  )
}

/** Changes what this node calls itself. */
export function OwnNameDialog({ name, onClose }: { name: OwnName; onClose: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  const reset = async (): Promise<void> => {
    await client.call('people.setOwnName', { name: null })
    onClose()
  }
  return (
    <NameDialog
      title={rename.own}
      label={rename.field}
      help={rename.ownHelp}
      first={name.name}
      save={(chosen) => client.call('people.setOwnName', { name: chosen })}
      onClose={onClose}
      aside={
        !name.isDefault && (
          <Button disabled={busy} onClick={() => run(reset, rename.saved)}>
            {rename.reset}
          </Button>
        )
      }
    />
  )
}

function NameDialog({
  title,
  label,
  help,
  first,
  save,
  aside,
  onClose,
}: {
  title: string
  label: string
  help: string
  first: string
  save: (name: string) => Promise<unknown>
  aside?: ReactNode
  onClose: () => void
}) {
  const { busy, run } = useAction()
  const [name, setName] = useState(first)
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    run(async () => {
      await save(name)
      onClose()
    }, rename.saved)
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form className={styles['form']} onSubmit={submit}>
        <Field label={label} help={help} value={name} onChange={setName} maxLength={MAX_NAME_LENGTH} />
        <div className={styles['buttons']}>
          <Button submit primary disabled={busy}>
            {rename.save}
          </Button>
          {aside}
          <Button onClick={onClose}>{strings.settings.cancel}</Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Asks before a person is trusted no more. */
export function RemoveDialog({ person: { peerId, label }, onClose }: { person: Person; onClose: () => void }) {
  const client = useClient()
  const end = async (): Promise<void> => {
    const { openInviteId } = await client.call('people.untrust', { peer: peerId })
    onClose()
    toast(openInviteId === null ? 'good' : 'bad', openInviteId === null ? remove.done(label) : remove.inviteOpen)
  }
  return (
    <Question
      title={remove.title(label)}
      consequence={remove.consequence}
      label={remove.do}
      act={end}
      onClose={onClose}
    />
  )
}

/** Asks before an invite is revoked. */
export function RevokeInviteDialog({ invite: { id, name }, onClose }: { invite: InviteView; onClose: () => void }) {
  const client = useClient()
  const end = async (): Promise<void> => {
    await client.call('people.revokeInvite', { id })
    onClose()
    toast('good', invites.done)
  }
  return (
    <Question
      title={invites.revokeTitle(name ?? invites.unnamed)}
      consequence={invites.consequence}
      label={invites.do}
      act={end}
      onClose={onClose}
    />
  )
}

function Question({
  title,
  consequence,
  label,
  act,
  onClose,
}: {
  title: string
  consequence: string
  label: string
  act: () => Promise<void>
  onClose: () => void
}) {
  const { busy, run } = useAction()
  return (
    <Dialog title={title} onClose={onClose}>
      <div className={styles['form']}>
        <p>{consequence}</p>
        <div className={styles['buttons']}>
          <Button primary disabled={busy} onClick={() => run(act)}>
            {label}
          </Button>
          <Button onClick={onClose}>{strings.settings.cancel}</Button>
        </div>
      </div>
    </Dialog>
  )
}

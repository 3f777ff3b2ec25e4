import type { InviteView } from '#shared/contract/people/invites.js'
import type { Person } from '#shared/contract/people/people.js'
import { formatExact, formatIn, shortPeerId } from '../../../strings/format.js'
import { strings } from '../../../strings.js'
import type { Column } from '../../../ui/table/data-table.js'
import { Badge } from '../../../ui/text/badge.js'
import { PeerMark } from '../../../ui/text/peer-name.js'
import { TimeAgo } from '../../../ui/text/time-ago.js'
import { useNow } from '../../../ui/text/use-now.js'
import { Visible } from '../../../ui/text/visible.js'
import styles from './people.module.css'

const words = strings.people

/** The columns of the people. */
export function peopleColumns(onOpen: (kind: 'rename' | 'remove', person: Person) => void): Column<Person>[] {
  const { column } = words
  return [
    { key: 'name', header: column.name, cell: (person) => <Name person={person} />, sortBy: ({ label }) => label },
    { key: 'state', header: column.state, width: 110, minor: 3, cell: (person) => <LastSeen person={person} /> },
    {
      key: 'since',
      header: column.since,
      width: 128,
      minor: 2,
      cell: ({ trustedAtMs }) => (trustedAtMs === null ? strings.unknown : <TimeAgo atMs={trustedAtMs} />),
    },
    { key: 'how', header: column.how, width: 184, minor: 1, cell: ({ trustedBy }) => words.how[trustedBy] },
    {
      key: 'change',
      header: column.change,
      width: 176,
      cell: (person) => (
        <span className={styles['links']}>
          <button
            type="button"
            className={styles['link']}
            aria-label={words.rename.label(person.label)}
            onClick={() => onOpen('rename', person)}
          >
            {words.rename.open}
          </button>
          <button
            type="button"
            className={styles['danger']}
            aria-label={words.remove.label(person.label)}
            disabled={!person.revocable}
            title={person.revocable ? undefined : words.remove.fixed}
            onClick={() => onOpen('remove', person)}
          >
            {words.remove.open}
          </button>
        </span>
      ),
    },
  ]
}

/** The name given here, beside it the one they chose, where that is another; and a part of the id, which no name hides. */
function Name({ person: { peerId, label, givenName, ownName } }: { person: Person }) {
  return (
    <span className={styles['person']} title={peerId}>
      <PeerMark peerId={peerId} />
      <span className={styles['name']}>
        <Visible text={label} />
      </span>
      {givenName !== null && ownName !== null && givenName !== ownName && (
        <span className={styles['soft']}>{words.callsItself(ownName)}</span>
      )}
      <code className={styles['id']}>{shortPeerId(peerId)}</code>
    </span>
  )
}

function LastSeen({ person: { connected, lastSeenMs } }: { person: Person }) {
  if (connected) return <Badge tone="good">{words.connected}</Badge>
  return lastSeenMs === null ? words.neverSeen : <TimeAgo atMs={lastSeenMs} />
}

/** The columns of the open invites. */
export function invitesColumns(onRevoke: (invite: InviteView) => void): Column<InviteView>[] {
  const { column } = words.invites
  return [
    { key: 'name', header: column.name, cell: ({ name }) => <Visible text={name ?? words.invites.unnamed} /> },
    {
      key: 'uses',
      header: column.uses,
      width: 110,
      minor: 1,
      cell: ({ uses, usesLeft }) => words.invites.uses(usesLeft, uses),
    },
    {
      key: 'expires',
      header: column.expires,
      width: 120,
      minor: 2,
      cell: ({ expiresAtMs }) => <TimeLeft atMs={expiresAtMs} />,
    },
    {
      key: 'revoke',
      header: column.revoke,
      width: 180,
      cell: (invite) => (
        <button
          type="button"
          className={styles['danger']}
          aria-label={words.invites.label(invite.name ?? words.invites.unnamed)}
          onClick={() => onRevoke(invite)}
        >
          {words.invites.revoke}
        </button>
      ),
    },
  ]
}

function TimeLeft({ atMs }: { atMs: number }) {
  return <time title={formatExact(atMs)}>{formatIn(atMs, useNow())}</time>
}

import { useEffect, useRef, useState } from 'react'
import type { CallOutput } from '#shared/contract/index.js'
import type { ReadInvite } from '#shared/contract/people/invites.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { formatExact, shortPeerId } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { Notice } from '../feedback/notice.js'
import { useAction } from '../feedback/use-action.js'
import { Facts } from '../layout/facts.js'
import { PeerMark } from '../text/peer-name.js'
import { useNow } from '../text/use-now.js'
import { JoinResult } from './join-result.js'
import styles from './join.module.css'

const { join: words } = strings.people

type Outcome = CallOutput<'people.join'>
const GOOD: readonly Outcome['outcome'][] = ['joined', 'already-trusted', 'restart-needed']

/**
 * Who invites, into which network and until when; nothing is done before the person says so. Then how far it is, and what
 * came of it.
 */
export function InviteOffer({
  text,
  read,
  isAsked = false,
  onClose,
}: {
  text: string
  read: ReadInvite
  /** The person brought the invite: its button takes the focus. A link that anything may have opened must not. */
  isAsked?: boolean
  onClose: () => void
}) {
  const client = useClient()
  const { busy, run } = useAction()
  const [result, setResult] = useState<Outcome>()
  const { invite, problem, sentence, canSwitch } = read
  if (result !== undefined && !busy) {
    return (
      <JoinResult
        sentence={result.sentence}
        isGood={GOOD.includes(result.outcome)}
        isJoined={result.outcome === 'joined'}
        onAgain={() => setResult(undefined)}
        onClose={onClose}
      />
    )
  }
  const name = invite?.name ?? words.noName
  if (busy) return <InviteProgress name={name} />
  const switches = problem === 'other-network' && canSwitch
  if (invite === null || (problem !== null && !switches)) return <Notice tone="warn">{sentence}</Notice>
  const join = (): void =>
    run(async () => setResult(await client.call('people.join', { text, switchNetwork: switches })))
  return (
    <div className={styles['offer']}>
      <h3>{words.invites(name)}</h3>
      <Facts facts={factsOf(invite)} />
      {switches && <Notice tone="warn">{words.switchMeans}</Notice>}
      <p className={styles['soft']}>{invite.trusted ? words.alreadyTrusted : words.means}</p>
      <div className={styles['buttons']}>
        <Confirm takesFocus={isAsked} label={switches ? words.confirmSwitch : words.confirm(name)} onClick={join} />
        <Button onClick={onClose}>{words.later}</Button>
      </div>
    </div>
  )
}

function Confirm({ takesFocus, label, onClick }: { takesFocus: boolean; label: string; onClick: () => void }) {
  const place = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    if (takesFocus) place.current?.querySelector('button')?.focus()
  }, [takesFocus])
  return (
    <span ref={place}>
      <Button primary icon="check" onClick={onClick}>
        {label}
      </Button>
    </span>
  )
}

function factsOf(invite: NonNullable<ReadInvite['invite']>) {
  return [
    {
      name: words.who,
      value: (
        <span className={styles['who']}>
          <PeerMark peerId={invite.inviter} size={20} />
          {invite.name ?? words.noName}
          <code title={invite.inviter}>{shortPeerId(invite.inviter)}</code>
        </span>
      ),
    },
    { name: words.network, value: words.networks[invite.network] },
    { name: words.expires, value: formatExact(invite.expiresAtMs).slice(0, -3) },
  ]
}

function InviteProgress({ name }: { name: string }) {
  const joining = dataOf(useFeed('joining'))
  const nowMs = useNow()
  const seconds = Math.round((nowMs - (joining?.sinceMs ?? nowMs)) / 1000)
  return (
    <div className={styles['progress']}>
      <span className={styles['spinner']} aria-hidden="true" />
      <p role="status">{words.stage[joining?.stage ?? 'reaching'](name)}</p>
      {seconds > 0 && <span className={styles['soft']}>{words.took(seconds)}</span>}
    </div>
  )
}

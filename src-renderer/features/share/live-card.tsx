import type { Usage } from '#shared/contract/sharing/limits.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient, useFeed } from '../../stores/hooks.js'
import { LEDGER_ITEM, linkTo } from '../../stores/route.js'
import { strings } from '../../strings/all.js'
import { Button } from '../../ui/controls/button.js'
import { toast } from '../../ui/feedback/toasts.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { Card } from '../../ui/layout/card.js'
import { Facts } from '../../ui/layout/facts.js'
import { PeerName } from '../../ui/text/peer-name.js'
import styles from './live-card.module.css'

const { share: words } = strings

/** Slots, who uses them, and what was given. */
export function LiveCard() {
  const usage = dataOf(useFeed('limits'))
  const ledger = dataOf(useFeed('ledger'))
  if (usage === undefined) return null
  const facts = [
    { name: words.slots, value: <Slots usage={usage} /> },
    { name: words.consumers, value: <Consumers usage={usage} /> },
  ]
  if (ledger !== undefined) {
    const { today, ever, firstDay } = ledger
    facts.push({
      name: words.given,
      value: (
        <>
          <strong>{words.givenTokens(today.tokensOut)}</strong> · {words.givenTo(today.requests, today.peers)}
          {firstDay !== null && <p className={styles['soft']}>{words.ever(ever.tokensOut, firstDay)}</p>}
        </>
      ),
    })
  }
  if (usage.limits.blockedPeers.length > 0) {
    facts.push({ name: words.blockedPeers, value: <Blocked peers={usage.limits.blockedPeers} /> })
  }
  if (usage.refused.length > 0) {
    const list = usage.refused.map(({ code, count }) => `${count} × ${strings.causes[code] ?? code}`)
    facts.push({ name: words.refused, value: <>{list.join(' · ')}</> })
  }
  return (
    <Card title={words.live} aside={<a href={linkTo('share', LEDGER_ITEM)}>{words.ledgerLink}</a>}>
      <Facts facts={facts} />
    </Card>
  )
}

/** More squares than these say nothing. */
const MAX_SQUARES = 32

function Slots({ usage: { slots, queue, ownRunning } }: { usage: Usage }) {
  if (slots.total === 0) return words.noSlots
  const notes = [
    words.slotsUsed(slots.used, slots.total),
    queue.used > 0 ? words.queue(queue.used) : '',
    ownRunning > 0 ? words.own(ownRunning) : '',
  ]
  return (
    <span className={styles['slots']}>
      {slots.total <= MAX_SQUARES && (
        <span className={styles['squares']} aria-hidden="true">
          {Array.from({ length: slots.total }, (_, index) => (
            <span key={index} className={index < slots.used ? styles['used'] : styles['free']} />
          ))}
        </span>
      )}
      {notes.filter((note) => note !== '').join(' · ')}
    </span>
  )
}

function Consumers({ usage }: { usage: Usage }) {
  if (usage.consumers.length === 0) return words.noConsumers
  return (
    <ul>
      {usage.consumers.map((consumer) => (
        <ConsumerLine key={consumer.peerId} consumer={consumer} blocked={usage.limits.blockedPeers} />
      ))}
    </ul>
  )
}

/** Who is refused, by the names that people have, each with the way back. */
function Blocked({ peers }: { peers: readonly string[] }) {
  const client = useClient()
  const { busy, run } = useAction()
  const set = (blockedPeers: readonly string[]) => client.call('limits.set', { blockedPeers: [...blockedPeers] })
  const unblock = async (peerId: string): Promise<void> => {
    await set(peers.filter((one) => one !== peerId))
    toast('good', words.unblocked, () => run(() => set(peers), words.blocked))
  }
  return (
    <ul>
      {peers.map((peerId) => (
        <li key={peerId} className={styles['consumer']}>
          <PeerName peerId={peerId} />
          <Button disabled={busy} onClick={() => run(() => unblock(peerId))}>
            {words.unblock}
          </Button>
        </li>
      ))}
    </ul>
  )
}

function ConsumerLine({ consumer, blocked }: { consumer: Usage['consumers'][number]; blocked: readonly string[] }) {
  const client = useClient()
  const { busy, run } = useAction()
  const { peerId, running, waiting, tokensToday } = consumer
  const set = (blockedPeers: readonly string[]) => client.call('limits.set', { blockedPeers: [...blockedPeers] })
  const block = async (): Promise<void> => {
    await set([...blocked, peerId])
    toast('good', words.blocked, () => run(() => set(blocked), words.unblocked))
  }
  return (
    <li className={styles['consumer']}>
      <PeerName peerId={peerId} />
      <span className={styles['soft']}>{words.consumer(running, waiting, tokensToday)}</span>
      <Button disabled={busy} onClick={() => run(block)}>
        {words.block}
      </Button>
    </li>
  )
}

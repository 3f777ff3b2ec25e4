import {
  isUnanswered,
  type TrafficCandidate,
  type TrafficEntry,
  type TrafficLeg,
} from '#shared/contract/node/traffic.js'
import { goTo } from '../../stores/use-route.js'
import { strings } from '../../strings/all.js'
import { formatBytes, formatExact, formatMs, formatNumber, shortPeerId } from '../../strings/format.js'
import { Waterfall, type WaterfallBar } from '../../ui/charts/waterfall.js'
import { CopyButton } from '../../ui/controls/copy-button.js'
import { Dialog } from '../../ui/controls/dialog.js'
import { Notice } from '../../ui/feedback/notice.js'
import { Facts } from '../../ui/layout/facts.js'
import { PathBadge } from '../../ui/text/path-badge.js'
import { PeerName } from '../../ui/text/peer-name.js'
import { UnsignedMark } from '../../ui/text/unsigned-badge.js'
import { useNow } from '../../ui/text/use-now.js'
import { Visible } from '../../ui/text/visible.js'
import { causeOf } from './cause.js'
import { Outcome } from './outcome.js'
import styles from './traffic-page.module.css'

const { detail: words, ...traffic } = strings.traffic

/** One request with everything that is known of it; never what was said. */
export function RequestDetail({ entry }: { entry: TrafficEntry | undefined }) {
  return (
    <Dialog kind="sheet" title={words.title} onClose={() => goTo('traffic')}>
      {entry === undefined ? <Notice tone="neutral">{words.gone}</Notice> : <Known entry={entry} />}
    </Dialog>
  )
}

function Known({ entry }: { entry: TrafficEntry }) {
  return (
    <>
      {entry.error !== null && (
        <div className={styles['cause']}>
          <Notice tone="bad" title={causeOf(entry.error)}>
            {strings.offline.code(entry.error)}
          </Notice>
        </div>
      )}
      <Facts facts={factsOf(entry)} />
      <h3 className={styles['legs']}>{words.legs}</h3>
      <Legs entry={entry} />
    </>
  )
}

function factsOf(entry: TrafficEntry) {
  const known = <T,>(value: T | null, show: (value: T) => React.ReactNode): React.ReactNode =>
    value === null ? strings.unknown : show(value)
  return [
    { name: words.when, value: formatExact(entry.atMs) },
    { name: words.way, value: isUnanswered(entry) ? traffic.unansweredHint : traffic.directionHint[entry.direction] },
    {
      name: words.what,
      value: (
        <code>
          <Visible text={`${entry.method} ${entry.route}`} />
        </code>
      ),
    },
    {
      name: words.model,
      value: known(entry.model, (model) => (
        <code>
          <Visible text={model} />
        </code>
      )),
    },
    { name: words.peer, value: known(entry.peer, (peerId) => <Peer peerId={peerId} />) },
    { name: words.key, value: known(entry.key, String) },
    { name: words.path, value: known(entry.path, (path) => <PathBadge path={path} />) },
    { name: words.outcome, value: <Outcome entry={entry} /> },
    { name: words.ttft, value: known(entry.ttfbMs, formatMs) },
    { name: words.duration, value: known(entry.durationMs, formatMs) },
    { name: words.tokensIn, value: known(entry.tokensIn, (n) => formatNumber(n)) },
    {
      name: words.tokensOut,
      value: known(
        entry.tokens,
        (n) => `${formatNumber(n)} (${entry.tokensFrom === 'chunks' ? words.counted : words.reported})`,
      ),
    },
    { name: words.bytes, value: words.bytesValue(formatBytes(entry.bytesIn), formatBytes(entry.bytesOut)) },
    { name: words.candidates, value: known(entry.candidates, String) },
    ...(entry.considered.length === 0
      ? []
      : [{ name: words.considered, value: <Considered candidates={entry.considered} /> }]),
    { name: words.tries, hint: strings.glossary.tries, value: entry.tries },
    {
      name: words.id,
      hint: words.idHint,
      value: (
        <span className={styles['id']}>
          <code>{entry.id}</code>
          <CopyButton text={entry.id} />
        </span>
      ),
    },
  ]
}

function Peer({ peerId }: { peerId: string }) {
  return (
    <>
      <PeerName peerId={peerId} /> <UnsignedMark peerId={peerId} />
    </>
  )
}

/** Why the request went where it went. */
function Considered({ candidates }: { candidates: readonly TrafficCandidate[] }) {
  return (
    <ol className={styles['considered']}>
      {candidates.map((candidate) => (
        <li key={candidate.peer}>
          <Peer peerId={candidate.peer} /> {expectedOf(candidate)}
        </li>
      ))}
    </ol>
  )
}

function expectedOf({ rttMs, fixedMs, readMs, queueMs, hangMs, unreadTokens }: TrafficCandidate): string {
  const ms = {
    total: formatMs(rttMs + fixedMs + readMs + queueMs + hangMs),
    rtt: formatMs(rttMs),
    fixed: formatMs(fixedMs),
    read: formatMs(readMs),
    queue: formatMs(queueMs),
  }
  const waits = words.waits(ms, formatNumber(unreadTokens))
  return hangMs === 0 ? waits : `${waits}, ${words.hangs(formatMs(hangMs))}`
}

function Legs({ entry }: { entry: TrafficEntry }) {
  const now = useNow()
  if (entry.legs.length === 0) return <p className={styles['none']}>{words.noLegs}</p>
  const ends = entry.legs.map((leg) => leg.startMs + leg.durationMs)
  const totalMs = Math.max(entry.durationMs ?? now - entry.atMs, ...ends)
  return <Waterfall label={words.legs} totalMs={totalMs} bars={entry.legs.map(barOf)} />
}

function barOf(leg: TrafficLeg): WaterfallBar {
  const notes = [
    leg.reason,
    leg.connectMs === null ? null : words.connect(formatMs(leg.connectMs)),
    leg.ttfbMs === null ? null : words.first(formatMs(leg.ttfbMs)),
  ].filter((note) => note !== null)
  return {
    label: leg.peer === null ? words.local : shortPeerId(leg.peer),
    startMs: leg.startMs,
    durationMs: leg.durationMs,
    tone: leg.outcome === 'answered' ? 'good' : 'bad',
    note: notes.length === 0 ? undefined : notes.join(' · '),
  }
}

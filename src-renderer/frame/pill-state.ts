import type { Status } from '#shared/contract/node/node.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import type { FeedState } from '../stores/feed-store.js'
import { dataOf } from '../stores/feed-store.js'
import { DOCTOR_ITEM, JOIN_ITEM, type PageName } from '../stores/route.js'
import { isForOthers } from '../stores/sharing-state.js'
import { formatLeft } from '../strings/format.js'
import { strings } from '../strings.js'

/** What the pill says, how it looks, and where a click leads: to the cause. */
export interface PillState {
  tone: 'good' | 'neutral' | 'warn' | 'bad'
  sentence: string
  page: PageName
  /** Where on that page; left out for the page itself. */
  item?: string
}

const DOCTOR = { page: 'network', item: DOCTOR_ITEM } as const

/** The pill for a status and the shares as they are known now; `nowMs`: Unix milliseconds. */
export function pillState(state: FeedState<Status>, shares: readonly ShareView[] = [], nowMs = Date.now()): PillState {
  const { pill } = strings
  if (state.phase === 'lost') return { tone: 'bad', sentence: pill.lost, page: 'home' }
  const status = dataOf(state)
  if (status === undefined) return { tone: 'neutral', sentence: pill.loading, page: 'home' }
  const { kind, path, cause } = status.state
  const parts = [path === null ? '' : pill.path[path], status.peers === 0 ? '' : pill.peers(status.peers)]
  const sentence = (head: string): string => [head, ...parts].filter((part) => part !== '').join(' · ')
  if (kind === 'alone' && status.knownPeers === 0 && status.mode === 'node') {
    return { tone: 'warn', sentence: pill.join, page: 'network', item: JOIN_ITEM }
  }
  if (kind === 'alone') return { tone: 'warn', sentence: pill.alone(cause?.sentence), ...DOCTOR }
  if (cause !== undefined && kind !== 'paused') {
    const head = kind === 'sharing' ? pill.sharing(status.models.shared) : pill[kind]
    return { tone: 'warn', sentence: pill.but(sentence(head), cause.sentence), ...DOCTOR }
  }
  const silent = shares.filter((share) => isForOthers(share) && share.status === 'down').map(({ name }) => name)
  if (silent.length > 0 && kind !== 'paused') {
    const head = kind === 'sharing' ? pill.sharing(status.models.shared) : pill.nothingShared
    return { tone: 'warn', sentence: pill.but(head, pill.silent(silent)), page: 'share' }
  }
  switch (kind) {
    case 'paused': {
      const { sentence: reason, untilMs = null } = status.state.pause ?? {}
      const said = untilMs === null ? pill.paused(reason) : pill.pausedFor(formatLeft(untilMs, nowMs))
      return { tone: 'warn', sentence: said, page: 'share' }
    }
    case 'sharing':
      return { tone: 'good', sentence: sentence(pill.sharing(status.models.shared)), page: 'share' }
    case 'connected':
      return { tone: 'good', sentence: sentence(pill.connected), page: 'network' }
    case 'standalone':
      return { tone: 'neutral', sentence: pill.standalone, page: 'network' }
  }
}

import type { LedgerRow, LedgerSummary } from '#shared/contract/sharing/ledger.js'
import type { Service } from '../../../base/lifecycle.js'

export { createLedger, ledgerText } from './ledger.js'

/** What this machine gave to others, per day, model and peer. No content of any request is ever in it. */
export interface Ledger extends Service {
  summary(): LedgerSummary
  /** Of the last `days` days, newest first. */
  rows(days: number): LedgerRow[]
  /** Tokens of prompts and answers that one peer was given today, and the milliseconds until the day is over. */
  givenToday(peerId: string): { tokens: number; endsInMs: number }
  /** Whether that peer was ever given an answer, as far as the ledger keeps peers apart. */
  wasServed(peerId: string): boolean
  /** Calls `listener` after each change; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

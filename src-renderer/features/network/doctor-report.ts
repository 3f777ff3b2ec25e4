import type { Check, DoctorReport } from '#shared/contract/node/doctor.js'
import { strings } from '../../strings/all.js'
import { formatExact } from '../../strings/format.js'

const { doctor: words } = strings
const FIRST_TO_LAST: readonly Check['state'][] = ['bad', 'warn', 'ok', 'unknown']

/** The checks, what needs looking at first and what nothing is known of last; else in the doctor's order. */
export function sortChecks(checks: readonly Check[]): Check[] {
  return checks.toSorted((a, b) => FIRST_TO_LAST.indexOf(a.state) - FIRST_TO_LAST.indexOf(b.state))
}

/** The report as a text to send to somebody who helps. */
export function reportText(report: DoctorReport, version: string): string {
  const lines = report.checks.flatMap(({ id, state, fact, meaning, fix }) => [
    `[${state}] ${id}: ${fact}`,
    ...[meaning, fix].filter((line) => line !== '').map((line) => `    ${line}`),
  ])
  return [`${strings.product} ${version} · ${formatExact(report.atMs)} · ${report.peerId}`, '', ...lines].join('\n')
}

/** The one sentence over the checks. */
export function summaryOf(checks: readonly Check[]): string {
  const countOf = (state: Check['state']): number => checks.filter((check) => check.state === state).length
  return words.summary(countOf('bad'), countOf('warn'))
}

/** Checks of how others get here; all the rest is about getting to them. */
const OF_BEING_REACHED: ReadonlySet<string> = new Set(['listening', 'nat', 'reachable', 'firewall', 'relays', 'upnp'])

/** Whether one can be reached, whether one reaches others, and what to do first; undefined where nothing is to be done. */
export function inShort(checks: readonly Check[]): {
  reached: Check['state']
  reaches: Check['state']
  todo: string | undefined
} {
  const sorted = sortChecks(checks)
  const stateOf = (own: readonly Check[]): Check['state'] => own[0]?.state ?? 'unknown'
  return {
    reached: stateOf(sorted.filter(({ id }) => OF_BEING_REACHED.has(id))),
    reaches: stateOf(sorted.filter(({ id }) => !OF_BEING_REACHED.has(id))),
    todo: sorted.find(({ state, fix }) => fix !== '' && (state === 'bad' || state === 'warn'))?.fix,
  }
}

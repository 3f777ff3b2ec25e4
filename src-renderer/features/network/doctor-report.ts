import type { Check, DoctorReport } from '#shared/contract/node/doctor.js'
import { formatExact } from '../../strings/format.js'
import { strings } from '../../strings.js'

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

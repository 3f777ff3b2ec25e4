import type { LedgerRow, LedgerSummary } from '#shared/contract/ledger.js'

const COLUMNS = ['day', 'model', 'peer', 'requests', 'failed', 'tokensIn', 'tokensOut', 'tokensEstimated'] as const

/** The ledger as a file to save. */
export function ledgerText(
  format: 'json' | 'csv',
  ledger: { summary: LedgerSummary; rows: readonly LedgerRow[] },
): { fileName: string; mediaType: string; text: string } {
  if (format === 'json') {
    return { fileName: 'ledger.json', mediaType: 'application/json', text: `${JSON.stringify(ledger, null, 2)}\n` }
  }
  const lines = [COLUMNS.join(','), ...ledger.rows.map((row) => COLUMNS.map((name) => cell(row[name])).join(','))]
  return { fileName: 'ledger.csv', mediaType: 'text/csv', text: lines.map((line) => `${line}\r\n`).join('') }
}

/** RFC 4180; what a spreadsheet would take for a formula gets a quote before it. */
function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

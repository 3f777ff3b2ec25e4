import type { LedgerRow, LedgerTotals } from '#shared/contract/sharing/ledger.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { counted, mayColour, textTable } from '../table.js'

const SHOWN_DAYS = 30

/** The options only `ocf ledger` has. */
export const LEDGER_OPTIONS: [flags: string, help: string][] = [['--csv', 'Print everything as CSV.']]

/** `ocf ledger`: what this machine gave to others. */
export async function runLedger(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean; csv: boolean },
): Promise<number> {
  const { io, client } = needs
  if (options.csv || options.json) {
    const { text } = await client.call('ledger.export', { format: options.csv ? 'csv' : 'json' })
    io.stdout.write(text)
    return EXIT.ok
  }
  const { today, ever, firstDay } = await client.call('ledger.summary', {})
  const rows = await client.call('ledger.rows', { days: SHOWN_DAYS })
  const since = firstDay === null ? '' : ` (since ${firstDay})`
  io.stdout.write(`Today: ${totals(today)}.\nTotal: ${totals(ever)}${since}.\n`)
  if (rows.length > 0) io.stdout.write(`\n${rowsText(rows, mayColour(io))}`)
  return EXIT.ok
}

function totals({ requests, tokensOut, peers }: LedgerTotals): string {
  return `${counted(requests, 'request')} answered, ${counted(tokensOut, 'token')}, ${counted(peers, 'peer')} helped`
}

function rowsText(rows: readonly LedgerRow[], colour: boolean): string {
  const cells = rows.map((row) => [
    row.day,
    row.model,
    row.peer ?? 'all peers',
    String(row.requests),
    String(row.failed),
    String(row.tokensIn),
    `${row.tokensEstimated > 0 ? '~' : ''}${row.tokensOut}`,
  ])
  return textTable(['DAY', 'MODEL', 'PEER', 'REQUESTS', 'FAILED', 'TOKENS IN', 'TOKENS OUT'], cells, { colour })
}

import type { LedgerRow, LedgerTotals } from '#shared/contract/sharing/ledger.js'
import { counted, numberText } from '#shared/figures.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { readPeerNames, type PeerNames } from '../peer-names.js'
import { mayColour, textTable } from '../table.js'

const SHOWN_DAYS = 30

/** The options only `ocf ledger` has. */
export const LEDGER_OPTIONS: [flags: string, help: string][] = [['--csv', 'Print everything as CSV.']]

/** `ocf ledger`: what this machine has served to others. */
export async function runLedger(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean; csv: boolean },
): Promise<number> {
  const { io, client } = needs
  if (options.csv || options.json) {
    const { text } = await client.call('ledger.export', { format: options.csv ? 'csv' : 'json' })
    io.writeData(text)
    return EXIT.ok
  }
  const { today, ever, firstDay } = await client.call('ledger.summary', {})
  const rows = await client.call('ledger.rows', { days: SHOWN_DAYS })
  const since = firstDay === null ? '' : ` (since ${firstDay})`
  io.stdout.write(`Today: ${totals(today)}.\nTotal: ${totals(ever)}${since}.\n`)
  if (rows.length > 0) io.stdout.write(`\n${rowsText(rows, await readPeerNames(client), mayColour(io))}`)
  return EXIT.ok
}

function totals({ requests, tokensOut, peers }: LedgerTotals): string {
  return `${counted(requests, 'request')} answered, ${counted(tokensOut, 'token')}, ${counted(peers, 'peer')} helped`
}

/** The newest day first, and of a day the most tokens. */
const byDayAndTokens = (a: LedgerRow, b: LedgerRow): number =>
  b.day.localeCompare(a.day) || b.tokensOut - a.tokensOut || a.model.localeCompare(b.model)

function rowsText(rows: readonly LedgerRow[], names: PeerNames, colour: boolean): string {
  const cells = rows
    .toSorted(byDayAndTokens)
    .map((row) => [
      row.day,
      row.model,
      row.peer === null ? 'all peers' : names.labelOf(row.peer),
      numberText(row.requests),
      numberText(row.failed),
      numberText(row.tokensIn),
      `${row.tokensEstimated > 0 ? '~' : ''}${numberText(row.tokensOut)}`,
    ])
  const table = textTable(['DAY', 'MODEL', 'PEER', 'REQUESTS', 'FAILED', 'TOKENS IN', 'TOKENS OUT'], cells, { colour })
  const isEstimated = rows.some(({ tokensEstimated }) => tokensEstimated > 0)
  return `${table}${isEstimated ? '~ is counted here, as the server did not say.\n' : ''}`
}

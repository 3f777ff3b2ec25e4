import type { Check, DoctorReport } from '#shared/contract/doctor.js'
import { EXIT } from '../exit-codes.js'
import type { CliIo, ControlClient } from '../io.js'
import { printable } from '../../logging/printable.js'
import { mayColour } from '../table.js'

const MARKS: Record<Check['state'], string> = { ok: 'ok', warn: 'WARN', bad: 'BAD', unknown: '?' }
const COLOURS: Record<Check['state'], number> = { ok: 32, warn: 33, bad: 31, unknown: 90 }

/** `ocf doctor [PEER]`: what is wrong and what to do; exits with 1 when something is bad. */
export async function runDoctor(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean; peerId: string | undefined },
): Promise<number> {
  const { io, client } = needs
  const { peerId } = options
  const report =
    peerId === undefined ? await client.call('doctor.run', {}) : await client.call('doctor.peer', { peerId })
  io.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report, mayColour(io)))
  return report.checks.some(({ state }) => state === 'bad') ? EXIT.failed : EXIT.ok
}

function reportText({ checks }: DoctorReport, colour: boolean): string {
  return checks.map((check) => checkText(check, colour)).join('')
}

/** The fact, and under it what it means and what to do. */
function checkText({ state, fact, meaning, fix }: Check, colour: boolean): string {
  const mark = MARKS[state].padEnd(5)
  const shown = colour ? `\u001b[${COLOURS[state]}m${mark}\u001b[0m` : mark
  const lines = [`${shown} ${printable(fact)}`, `      ${printable(meaning)}`]
  if (fix !== '') lines.push(`      → ${printable(fix)}`)
  return `${lines.join('\n')}\n`
}

import { JsonObjectBytes } from '../../../src-main/base/json/object.js'
import { median } from '../statistics.ts'

const KIB = 1024
const SIZES = [KIB, 64 * KIB, 8 * KIB * KIB]

/** What the messages of a body are. */
const KINDS = {
  'long messages': (count: number) => ({
    role: 'user',
    content: `${count} The quick brown "fox"\njumps, größer. `.repeat(9),
  }),
  'short messages': () => ({ role: 'user', content: 'x' }),
}

function bodyOf(kind: keyof typeof KINDS, bytes: number): Buffer {
  const messages: object[] = []
  for (let size = 100; size < bytes;) {
    const message = KINDS[kind](messages.length)
    messages.push(message)
    size += JSON.stringify(message).length + 1
  }
  return Buffer.from(JSON.stringify({ model: 'llama3.2', stream: true, temperature: 0.7, seed: 42, messages }))
}

/** Microseconds that finding the model of one body takes. */
function timed(find: () => unknown, cellMs: number): number {
  const until = performance.now() + cellMs
  const startedAt = performance.now()
  let count = 0
  while (performance.now() < until) {
    find()
    count += 1
  }
  return ((performance.now() - startedAt) / count) * 1000
}

/** Finding a body's model by scanning its bytes, and by JSON.parse of all of it; medians of some rounds. */
export interface BodyRow {
  row: string
  scanUs: number
  parseUs: number
  ratio: number
}

const [rounds = 3, cellMs = 1000] = process.argv.slice(2).map(Number)
const rows: BodyRow[] = []
for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
  for (const size of SIZES) {
    const body = bodyOf(kind, size)
    const scans: number[] = []
    const parses: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      parses.push(timed(() => (JSON.parse(body.toString('utf8')) as { model: string }).model, cellMs / 2))
      scans.push(timed(() => JsonObjectBytes.from(body).text('model'), cellMs / 2))
    }
    const [scanUs, parseUs] = [median(scans), median(parses)]
    rows.push({ row: `${kind}, ${Math.round(body.length / KIB)} KiB`, scanUs, parseUs, ratio: scanUs / parseUs })
  }
}
process.send?.(rows)

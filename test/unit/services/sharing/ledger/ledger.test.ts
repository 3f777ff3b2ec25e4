import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLedger, ledgerText, type Ledger } from '../../../../../src-main/services/sharing/ledger/index.js'
import { createLedgerBook, LedgerFileSchema } from '../../../../../src-main/services/sharing/ledger/ledger-book.js'
import { createTrafficFeed, type TrafficFeed, type TrafficUpdate } from '../../../../../src-main/telemetry/traffic.js'
import { createRecordingLog } from '../../../../fixtures/recording-log.js'

let folder: string
let nowMs: number
let traffic: TrafficFeed
const started: Ledger[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-ledger-'))
  nowMs = new Date(2030, 0, 31, 23, 59).getTime()
  traffic = createTrafficFeed({ clock: { now: () => nowMs }, monotonic: { elapsedMs: () => nowMs } })
})
afterEach(async () => {
  for (const ledger of started.splice(0)) await ledger.stop()
  await rm(folder, { recursive: true, force: true })
})

async function open(): Promise<Ledger> {
  const ledger = createLedger(
    {
      traffic,
      isShared: (model) => model === 'llama',
      clock: { now: () => nowMs },
      log: createRecordingLog(),
    },
    { file: join(folder, 'ledger.json') },
  )
  started.push(ledger)
  await ledger.start(new AbortController().signal)
  return ledger
}

let requests = 0
function request(
  peer: string,
  fields: TrafficUpdate = {},
  about: { direction?: 'in' | 'out'; method?: string; model?: string } = {},
): void {
  const { direction = 'in', method = 'POST', model = 'llama' } = about
  const handle = traffic.begin({
    id: `r${(requests += 1)}`,
    direction,
    service: 'llm',
    method,
    route: '/',
    peer,
    model,
  })
  handle.finish({ status: 200, tries: 1, ...fields })
}

test('what peers were given is counted per day, model and peer', async () => {
  const ledger = await open()
  request('alice', { tokens: 10, tokensFrom: 'usage', tokensIn: 3 })
  request('alice', { tokens: 5, tokensFrom: 'chunks' })
  request('bob', { status: 502, error: 'upstream_failed' })
  nowMs += 120_000
  request('bob', { tokens: 1, tokensFrom: 'usage' })

  expect(ledger.rows(30)).toEqual([
    { ...row('2030-02-01', 'bob'), requests: 1, tokensOut: 1 },
    { ...row('2030-01-31', 'alice'), requests: 2, tokensIn: 3, tokensOut: 15, tokensEstimated: 5 },
    { ...row('2030-01-31', 'bob'), failed: 1 },
  ])
  expect(ledger.summary()).toEqual({
    today: { requests: 1, failed: 0, tokensIn: 0, tokensOut: 1, peers: 1 },
    ever: { requests: 3, failed: 1, tokensIn: 3, tokensOut: 16, peers: 2 },
    firstDay: '2030-01-31',
  })
})

function row(day: string, peer: string) {
  return { day, model: 'llama', peer, requests: 0, failed: 0, tokensIn: 0, tokensOut: 0, tokensEstimated: 0 }
}

test('what one peer was given today is known at once, after a restart, and until the day ends here', async () => {
  const first = await open()
  request('alice', { tokens: 10, tokensFrom: 'usage', tokensIn: 3 })
  request('alice', { tokens: 5, tokensFrom: 'chunks' }, { model: 'other' })
  request('bob', { status: 502, error: 'upstream_failed', tokensIn: 4 })
  expect(first.givenToday('alice')).toEqual({ tokens: 18, endsInMs: 60_000 })
  expect(first.givenToday('bob').tokens).toBe(4)
  expect(first.givenToday('carol').tokens).toBe(0)
  await first.stop()

  const second = await open()
  expect(second.givenToday('alice').tokens).toBe(18)
  request('alice', { tokens: 2 })
  expect(second.givenToday('alice').tokens).toBe(20)
  nowMs += 60_000
  expect(second.givenToday('alice')).toEqual({ tokens: 0, endsInMs: 24 * 3_600_000 })
})

test('own requests, refusals and looks at the list are nobody’s gift', async () => {
  const ledger = await open()
  request('alice', {}, { direction: 'out' })
  request('alice', {}, { method: 'GET' })
  request('alice', { status: 429, error: 'provider_busy', tries: 0 })
  expect(ledger.rows(30)).toEqual([])
})

test('a model name a stranger made up does not stand in it', async () => {
  const ledger = await open()
  request('alice', {}, { model: '=HYPERLINK("http://evil")' })
  expect(ledger.rows(1).map(({ model }) => model)).toEqual(['unknown'])
})

test('it is kept over a restart, in one file that is complete or not there', async () => {
  const first = await open()
  request('alice', { tokens: 10 })
  await first.stop()
  expect(LedgerFileSchema.parse(JSON.parse(await readFile(join(folder, 'ledger.json'), 'utf8')))).toBeDefined()
  expect(await readdir(folder)).toEqual(['ledger.json'])

  const second = await open()

  expect(second.summary().ever).toMatchObject({ requests: 1, tokensOut: 10, peers: 1 })
})

test('a file that cannot be understood is kept aside', async () => {
  await writeFile(join(folder, 'ledger.json'), '{"format":1,')
  const ledger = await open()
  expect(ledger.summary().ever.requests).toBe(0)
  expect(await readdir(folder)).toEqual(['ledger.json.unreadable'])
})

test('whatever peers do, it stays small', () => {
  const book = createLedgerBook()
  const figures = { requests: 1, failed: 0, tokensIn: 0, tokensOut: 1, tokensEstimated: 0 }
  for (let day = 0; day < 900; day += 1) {
    const date = new Date(Date.UTC(2030, 0, 1 + day)).toISOString().slice(0, 10)
    for (let peer = 0; peer < (day === 899 ? 2000 : 3); peer += 1) {
      book.add({ ...figures, day: date, model: 'llama', peer: `peer-${peer}` })
    }
  }
  expect(book.tokensOf('peer-1999', new Date(Date.UTC(2030, 0, 1 + 899)).toISOString().slice(0, 10))).toBe(1)
  const file = book.toFile()
  expect(LedgerFileSchema.parse(file)).toEqual(file)
  expect(JSON.stringify(file).length).toBeLessThan(300_000)
  expect(book.everything()).toMatchObject({ requests: 899 * 3 + 2000, tokensOut: 899 * 3 + 2000, peers: 2000 })
  expect(createLedgerBook(file).everything()).toEqual(book.everything())
})

test('the CSV is one a spreadsheet opens without harm', () => {
  const rows = [{ ...row('2030-01-31', '@alice'), model: '=cmd|"calc",x' }]
  const totals = { requests: 0, failed: 0, tokensIn: 0, tokensOut: 0, peers: 0 }
  const summary = { today: totals, ever: totals, firstDay: null }
  expect(ledgerText('csv', { rows, summary }).text.split('\r\n')[1]).toBe(
    `2030-01-31,"'=cmd|""calc"",x",'@alice,0,0,0,0,0`,
  )
})

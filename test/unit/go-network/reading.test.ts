import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyPeerRecord } from '#shared/records.js'
import { isOffering, readGoRow, recordOf } from '../../../src-main/go-network/reading/go-row.js'
import { joinTable } from '../../../src-main/go-network/reading/joined-table.js'
import { GoProviders, MAX_PROVIDERS } from '../../../src-main/go-network/reading/providers.js'
import { RowScanner } from '../../../src-main/go-network/reading/row-scanner.js'
import type { NodeTable, TableEvent } from '../../../src-main/node-table/index.js'

function scanned(bytes: Buffer, cuts: readonly number[] = []): [string, unknown][] {
  const rows: [string, unknown][] = []
  const scanner = new RowScanner((key, json) => rows.push([key, JSON.parse(json)]))
  let from = 0
  for (const cut of [...cuts.map((at) => at % (bytes.byteLength + 1)).sort((a, b) => a - b), bytes.byteLength]) {
    scanner.push(bytes.subarray(from, cut))
    from = cut
  }
  return rows
}

describe('a table that comes in pieces', () => {
  it('gives the rows that parsing it whole would give, wherever it is cut', () => {
    const table = fc.dictionary(fc.string(), fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()))
    fc.assert(
      fc.property(table, fc.array(fc.nat(), { maxLength: 5 }), fc.boolean(), (value, cuts, isSpaced) => {
        const text = JSON.stringify(value, null, isSpaced ? 2 : 0)
        const wanted = Object.entries(JSON.parse(text) as object).filter(
          ([, row]) => typeof row === 'object' && row !== null && !Array.isArray(row),
        )
        expect(scanned(Buffer.from(text), cuts)).toEqual(wanted)
      }),
    )
  })

  it('throws nothing for what is no table, and holds no row that is too long', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        new RowScanner(() => undefined).push(Buffer.from(text))
      }),
    )
    const long = { '/a': { id: 'a', text: 'x'.repeat(100_000) }, '/b': { id: 'b' } }
    expect(scanned(Buffer.from(JSON.stringify(long))).map(([key]) => key)).toEqual(['/b'])
  })
})

describe('a row of the Go network', () => {
  const row = (change: object = {}) =>
    readGoRow('/p', JSON.stringify({ id: 'p', connected: true, service: null, role: null, ...change }))
  const llm = (entries: string[] | null) => ({ service: [{ name: 'llm', identity_group: entries }] })

  it('counts only under its own key', () => {
    expect(row()).toMatchObject({ id: 'p', service: [] })
    expect(row({ id: 'q' })).toBeUndefined()
    expect(readGoRow('/p', 'nonsense')).toBeUndefined()
    expect(readGoRow('/p', '{"id":7}')).toBeUndefined()
  })

  it('offers something while its peer has not left', () => {
    expect(isOffering(row(llm(['model=m']))!)).toBe(true)
    expect(isOffering(row({ ...llm(['model=m']), status: 'left' })!)).toBe(false)
    expect(isOffering(row(llm(null))!)).toBe(false)
  })

  it('is taken over without what is not used of it, and never longer than a bound', () => {
    const many = Array.from({ length: 400 }, (_, at) => `model=${'x'.repeat(200)}${at}`)
    const record = recordOf(row({ ...llm(many), public_address: '203.0.113.7', owner: 'me' })!)
    expect(record.service[0]?.identity_group.length).toBeLessThan(100)
    expect(record).toMatchObject({
      public_address: '',
      owner: '',
      service: [{ status: 'connected', host: '', port: '' }],
    })
  })
})

describe('the view of both tables', () => {
  const record = (id: string, model: string) => ({
    ...emptyPeerRecord(id),
    service: [
      {
        ...emptyPeerRecord(id),
        name: 'llm',
        status: 'connected',
        host: '',
        port: '',
        identity_group: [`model=${model}`],
      },
    ] as never,
  })

  function both(signed: readonly string[] = []) {
    const providers = new GoProviders()
    const asked: string[] = []
    const looked: unknown[] = []
    const own = {
      get: (peerId: string) => (signed.includes(peerId) ? { peerId } : undefined),
      rows: () => signed.map((peerId) => ({ peerId })).values(),
      providers: () => new GoProviders().providers('', ''),
      findProviders: (_service: string, _entry: string, known: unknown) =>
        Promise.resolve(void looked.push(known)).then(() => new Set(['signed'])),
      subscribe: () => () => undefined,
      size: signed.length,
      status: {
        refresh: (peerId: string) => Promise.resolve(void asked.push(peerId)),
        subscribe: () => () => undefined,
      },
    } as unknown as NodeTable
    const there: string[] = []
    const isThere = (peerId: string): Promise<void> =>
      peerId === 'gone' ? Promise.reject(new Error('no answer')) : Promise.resolve(void there.push(peerId))
    return { providers, asked, looked, there, table: joinTable(own, { providers, isThere, nowMs: () => 0 }) }
  }

  it('shows providers of the Go network, and counts none of them as a row', () => {
    const { providers, table } = both(['signed'])
    const events: TableEvent['type'][] = []
    table.subscribe(({ type }) => events.push(type))
    providers.take(record('go', 'm'))
    providers.take(record('go', 'm'))
    providers.take(record('go', 'n'))
    expect([...table.rows()].map(({ peerId }) => peerId)).toEqual(['signed', 'go'])
    expect(table.size).toBe(1)
    expect([...table.providers('llm', 'model=n')]).toEqual(['go'])
    expect([...table.providers('llm', 'model=m')]).toEqual([])
    providers.drop('go')
    expect(events).toEqual(['row:added', 'row:changed', 'row:removed'])
  })

  it('lets a signed row count before what the same peer says there', () => {
    const { providers, table } = both(['signed'])
    const events: TableEvent[] = []
    table.subscribe((event) => events.push(event))
    providers.take(record('signed', 'm'))
    expect(events).toEqual([])
    expect([...table.rows()]).toHaveLength(1)
  })

  it('asks them whether they are there in the only way they understand', async () => {
    const { providers, table, asked, there } = both()
    for (const id of ['go', 'gone']) providers.take(record(id, 'm'))
    const outcomes: string[] = []
    table.status.subscribe(({ outcome }) => outcomes.push(outcome.kind))
    expect(await table.status.refresh('go')).toEqual({ kind: 'unsupported' })
    expect(await table.status.refresh('go')).toEqual({ kind: 'unsupported' })
    expect(await table.status.refresh('gone')).toMatchObject({ kind: 'unreachable', reason: 'no answer' })
    await table.status.refresh('another')
    expect({ asked, there, outcomes }).toEqual({
      asked: ['another'],
      there: ['go'],
      outcomes: ['unsupported', 'unreachable'],
    })
  })

  it('has the network asked as who looks for providers wishes, and adds its own', async () => {
    const { providers, table, looked } = both()
    providers.take(record('go', 'm'))
    const known = { areAway: true, failed: new Set(['one']) }
    expect([...(await table.findProviders('llm', 'model=m', known))]).toEqual(['signed', 'go'])
    expect(looked).toEqual([known])
  })

  it('holds no more of them than there is room for', () => {
    const { providers } = both()
    for (let count = 0; count < MAX_PROVIDERS; count += 1) expect(providers.take(record(`p${count}`, 'm'))).toBe(true)
    expect(providers.take(record('one more', 'm'))).toBe(false)
    expect(providers.take(record('p0', 'other'))).toBe(true)
  })
})

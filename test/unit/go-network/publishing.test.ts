import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeBlock, encodeBlock } from '../../../src-main/go-network/codecs/block.js'
import { type Cid, cidOf } from '../../../src-main/go-network/codecs/cid.js'
import { History } from '../../../src-main/go-network/publishing/history.js'
import { Publisher } from '../../../src-main/go-network/publishing/publisher.js'
import { readGoRow } from '../../../src-main/go-network/reading/go-row.js'
import { silentLog } from '../../fixtures/hosts.js'

const ME = '12D3KooWLUFomEp9SAvc7eSbv59UCS39axFh1uCqPw9tgBGuGihf'
const monotonic = { elapsedMs: () => performance.now() }
const clock = { now: () => 1_795_831_392_000 }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function started(options: { highest?: number; heads?: Cid[]; isCaughtUp?: boolean } = {}) {
  const said: { heads: Cid[][]; here: number } = { heads: [], here: 0 }
  const known = { highest: options.highest ?? 7, isCaughtUp: options.isCaughtUp ?? true }
  let models: string[] = ['m']
  const publisher = new Publisher({
    peerId: ME,
    models: () => models,
    history: {
      get highest() {
        return known.highest
      },
      get isCaughtUp() {
        return known.isCaughtUp
      },
      heads: () => options.heads ?? [],
      wrote: (_cid, { priority }) => void (known.highest = Math.max(known.highest, priority)),
    },
    broadcast: (heads) => void said.heads.push([...heads]),
    sayHere: () => void (said.here += 1),
    isMet: () => true,
    ...{ clock, monotonic, log: silentLog },
  })
  publisher.start()
  const written = () => {
    const cid = said.heads.at(-1)?.[0] ?? ''
    const bytes = publisher.block(cid)
    const block = bytes === undefined ? undefined : decodeBlock(bytes)
    const value = block?.elements[0]?.value
    const row = value === undefined ? undefined : (JSON.parse(new TextDecoder().decode(value)) as { status: string })
    return { cid, block, row }
  }
  const cids = () => new Set(said.heads.flat())
  const offer = (next: string[]): void => {
    models = next
    publisher.changed()
  }
  return { publisher, said, known, written, cids, offer }
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

describe('the record of this node', () => {
  it('is written above everything that was seen, and follows it', async () => {
    const head = cidOf(Buffer.from('a head'))
    const { written, said } = started({ highest: 41, heads: [head] })
    await pass(500)
    expect(written().block).toMatchObject({ priority: 42, links: [head] })
    expect(written().block?.elements[0]?.key).toBe(`/${ME}`)
    expect(said.here).toBeGreaterThan(0)
  })

  it('waits for word of the history, and not for ever', async () => {
    const { said, known } = started({ highest: 0 })
    await pass(7_000)
    expect(said.heads).toEqual([])
    known.highest = 3
    await pass(500)
    expect(said.heads).toHaveLength(1)
    const alone = started({ highest: 0 })
    await pass(8_500)
    expect(alone.written().block?.priority).toBe(1)
  })

  it('is named again until somebody has it', async () => {
    const { publisher, said, written } = started()
    await pass(40_000)
    expect(said.heads.length).toBe(3)
    publisher.taken(written().cid)
    await pass(600_000)
    expect(said.heads.length).toBe(3)
  })

  it('says every 20 s that this node is there, while it offers something', async () => {
    const { said, offer } = started()
    await pass(1_000)
    const before = said.here
    await pass(60_000)
    expect(said.here - before).toBe(3)
    offer([])
    await pass(3_000)
    const after = said.here
    await pass(60_000)
    expect(said.here).toBe(after)
  })

  it('is written once for changes that come together, and says good-bye where nothing is left to offer', async () => {
    const { cids, written, offer } = started()
    await pass(1_000)
    for (const models of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      offer(models)
      await pass(300)
    }
    await pass(2_000)
    expect(cids().size).toBe(2)
    offer([])
    await pass(2_000)
    expect(written().row).toMatchObject({ status: 'left', connected: false, service: null })
    expect(written().block?.priority).toBe(10)
  })

  it('is written again where somebody else wrote it, and not for what is below it', async () => {
    const { publisher, written, known, cids } = started()
    await pass(500)
    const by = (priority: number) => ({
      links: [],
      elements: [{ key: `/${ME}`, id: '', value: Buffer.from('{"status":"left"}') }],
      tombstones: [],
      priority,
    })
    publisher.seen('00', by(3))
    await pass(2_000)
    expect(cids().size).toBe(1)
    known.highest = 20
    publisher.seen('01', by(20))
    await pass(2_000)
    expect(written().block?.priority).toBe(21)
  })

  it('costs a budget, whoever takes it away how often', async () => {
    const { publisher, cids, known } = started()
    for (let second = 0; second < 120; second += 1) {
      const priority = (known.highest += 1)
      const element = { key: `/${ME}`, id: '', value: Buffer.from('{"status":"left"}') }
      publisher.seen(String(second), { links: [], elements: [element], tombstones: [], priority })
      await pass(1_000)
    }
    expect(cids().size).toBeLessThanOrEqual(10)
  })

  it('is written again after three tables without it, and once for each node alone', async () => {
    const { publisher, cids } = started()
    await pass(6_000)
    for (let round = 0; round < 10; round += 1) {
      publisher.shown('strict', undefined)
      await pass(20_000)
    }
    expect(cids().size).toBe(2)
    const own = { id: ME, service: [{ name: 'llm', identity_group: ['model=m'] }] }
    publisher.shown('friendly', readGoRow(`/${ME}`, JSON.stringify(own)))
    expect(publisher.view()).toEqual({ models: 1, listedBy: 1, notListedBy: 1 })
    publisher.nodes(['friendly'])
    expect(publisher.view()).toEqual({ models: 1, listedBy: 1, notListedBy: 0 })
  })

  it('gives up where no height is left, and writes nothing that would be dropped', async () => {
    const { said } = started({ highest: Number.MAX_SAFE_INTEGER })
    await pass(60_000)
    expect(said.heads).toEqual([])
  })

  it('says good-bye at the stop, and waits until somebody has it or a moment is over', async () => {
    const { publisher, written } = started()
    await pass(500)
    const stopping = publisher.stop()
    publisher.taken(written().cid)
    await stopping
    expect(written().row).toMatchObject({ status: 'left' })
  })
})

describe('the history of others', () => {
  function chain(length: number): { blocks: Map<Cid, Uint8Array>; head: Cid } {
    const blocks = new Map<Cid, Uint8Array>()
    let head: Cid | undefined
    for (let priority = 1; priority <= length; priority += 1) {
      const links = head === undefined ? [] : [head]
      const bytes = encodeBlock({ links, elements: [], tombstones: [], priority })
      head = cidOf(bytes)
      blocks.set(head, bytes)
    }
    return { blocks, head: head ?? '' }
  }

  it('is read from its newest end alone, however long it is', async () => {
    const { blocks, head } = chain(5_000)
    let fetched = 0
    const history = new History({
      fetch(cid) {
        fetched += 1
        const block = blocks.get(cid)
        return block === undefined ? Promise.reject(new Error('no one has it')) : Promise.resolve(block)
      },
      onBlock: () => undefined,
      ...{ monotonic, log: silentLog },
    })
    history.heard([head], 'somebody')
    await pass(120_000)
    expect(history.highest).toBe(5_000)
    expect(history.heads()).toEqual([head])
    expect(fetched).toBeLessThanOrEqual(65)
    history.stop()
  })

  it('costs a budget where ever new heads are made up', async () => {
    let fetched = 0
    const history = new History({
      fetch: () => {
        fetched += 1
        return Promise.reject(new Error('no one has it'))
      },
      onBlock: () => undefined,
      ...{ monotonic, log: silentLog },
    })
    for (let second = 0; second < 30; second += 1) {
      history.heard(
        Array.from({ length: 200 }, (_, at) => cidOf(Buffer.from(`${second} ${at}`))),
        'somebody',
      )
      await pass(1_000)
    }
    expect(fetched).toBeLessThan(256 + 31 * 10 + 1)
    history.stop()
  })
})

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LogLine } from '#shared/contract/node/logs.js'
import type { FeedMessage } from '#shared/contract/wire.js'
import { createFeeds, type Feeds, type FeedSources } from '../../../src-main/api/feeds.js'
import type { Log } from '../../../src-main/logging/index.js'

const error = vi.fn()
const log = { error } as unknown as Log

function setUp() {
  let lines: LogLine[] = []
  let listener: (() => void) | undefined
  let reads = 0
  const unused = { snapshot: () => [], subscribe: () => () => undefined }
  const sources = {
    status: unused,
    peers: unused,
    models: unused,
    services: unused,
    traffic: unused,
    logs: {
      snapshot: () => {
        reads += 1
        return lines
      },
      subscribe: (next: () => void) => {
        listener = next
        return () => (listener = undefined)
      },
    },
  } as unknown as FeedSources
  return {
    feeds: createFeeds({ sources, log }, { intervalMs: 250 }),
    write(message: string, fields: Partial<LogLine> = {}) {
      lines = [...lines, { seq: lines.length, atMs: 0, level: 'info', component: '', message, fields: '', ...fields }]
      listener?.()
    },
    followed: () => listener !== undefined,
    reads: () => reads,
  }
}

function createSink() {
  const messages: FeedMessage[] = []
  const created = {
    messages,
    slow: false,
    ready: () => !created.slow,
    send: (message: FeedMessage) => void messages.push(message),
  }
  return created
}

let sink: ReturnType<typeof createSink>
let feeds: Feeds

beforeEach(() => {
  vi.useFakeTimers()
  error.mockReset()
  sink = createSink()
})
afterEach(() => {
  feeds.stop()
  vi.useRealTimers()
})

describe('a feed', () => {
  test('is read only while somebody follows it', () => {
    const source = setUp()
    feeds = source.feeds
    source.write('before')
    expect(source.reads()).toBe(0)
    const stop = feeds.follow('logs', sink)
    expect(source.followed()).toBe(true)
    stop()
    expect(source.followed()).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('sends at most one delta per interval, each on the revision before it', () => {
    const source = setUp()
    feeds = source.feeds
    feeds.follow('logs', sink)
    source.write('a')
    source.write('b')
    vi.advanceTimersByTime(250)
    source.write('c')
    vi.advanceTimersByTime(250)
    expect(sink.messages.map((m) => m.type)).toEqual(['snapshot', 'delta', 'delta'])
    const [first, second, third] = sink.messages as (FeedMessage & { from?: number })[]
    expect([second!.from, third!.from]).toEqual([first!.revision, second!.revision])
  })

  test('does not send when nothing really changed', () => {
    const source = setUp()
    feeds = source.feeds
    feeds.follow('logs', sink)
    source.write('a')
    vi.advanceTimersByTime(250)
    feeds.follow('logs', createSink())
    vi.advanceTimersByTime(1000)
    expect(sink.messages).toHaveLength(2)
  })

  test('drops a slow follower to one fresh snapshot, and queues nothing for him meanwhile', () => {
    const source = setUp()
    feeds = source.feeds
    feeds.follow('logs', sink)
    sink.slow = true
    for (let i = 0; i < 100; i++) {
      source.write(`line ${i}`)
      vi.advanceTimersByTime(250)
    }
    expect(sink.messages).toHaveLength(1)
    sink.slow = false
    vi.advanceTimersByTime(250)
    expect(sink.messages).toHaveLength(2)
    expect(sink.messages[1]).toMatchObject({ type: 'snapshot', data: { length: 100 } })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('survives a source that shows something invalid, and tells the log', () => {
    const source = setUp()
    feeds = source.feeds
    feeds.follow('logs', sink)
    source.write('bad', { level: 'shout' as LogLine['level'] })
    vi.advanceTimersByTime(250)
    expect(error).toHaveBeenCalledOnce()
    expect(sink.messages).toHaveLength(1)
  })

  test('that nobody knows is not found', () => {
    feeds = setUp().feeds
    expect(() => feeds.follow('nothing', sink)).toThrow(expect.objectContaining({ code: 'not_found' }))
    expect(() => feeds.follow('__proto__', sink)).toThrow(expect.objectContaining({ code: 'not_found' }))
  })
})

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Service } from '../../../../src-main/base/lifecycle.js'
import { createListeners } from '../../../../src-main/gateway/listener/listeners.js'
import { createLocalListener, type LocalListener } from '../../../../src-main/gateway/listener/local-listener.js'
import { openRaw } from '../../../fixtures/http-server.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

const log = createRecordingLog()
const SIGNAL = new AbortController().signal
const portOf = (listener: LocalListener): number => Number(new URL(listener.url!).port)
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

/** A listener whose answers a test ends by hand. */
function handListener(): { listener: LocalListener; next: () => Promise<ServerResponse> } {
  const arrived: ServerResponse[] = []
  const waiting: ((response: ServerResponse) => void)[] = []
  const listener = createLocalListener(
    {
      log,
      handler: (_request, response) => {
        response.write('begun ')
        const taker = waiting.shift()
        if (taker === undefined) arrived.push(response)
        else taker(response)
      },
    },
    { host: '127.0.0.1', port: 0 },
  )
  return {
    listener,
    next: () => {
      const known = arrived.shift()
      return known === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(known)
    },
  }
}

function recordingClient(stopped: string[]): Service {
  return {
    name: 'client',
    start: () => Promise.resolve(),
    stop: () => {
      stopped.push('client')
      return Promise.resolve()
    },
  }
}

describe('listeners that are stopped', () => {
  test('stopped listeners let a running answer finish, accept nothing meanwhile, and close the connection behind it', async () => {
    const { listener, next } = handListener()
    const listeners = createListeners({ clients: [], listeners: [listener], log }, { drainMs: 60_000 })
    await listeners.start(SIGNAL)
    const port = portOf(listener)
    const running = openRaw(port, GET)
    const response = await next()
    const idle = openRaw(port, '')
    await once(idle.socket, 'ready')
    const stopping = listeners.stop()
    expect(listener.url).toBeUndefined()
    const [refused] = (await once(openRaw(port, GET).socket, 'error')) as [NodeJS.ErrnoException]
    expect(refused.code).toBe('ECONNREFUSED')
    response.end('ended')
    await stopping
    const { text, reset } = await running.ended
    expect(text).toContain('begun ')
    expect(text).toMatch(/ended\r\n0\r\n\r\n$/)
    expect(reset).toBe(false)
    await idle.ended
  })

  test('stopped listeners cut what still runs after the grace, the clients behind them first', async () => {
    const { listener, next } = handListener()
    const stopped: string[] = []
    const listeners = createListeners(
      { clients: [recordingClient(stopped)], listeners: [listener], log },
      { drainMs: 20 },
    )
    await listeners.start(SIGNAL)
    const running = openRaw(portOf(listener), GET)
    const response = await next()
    const cut = once(response, 'close').then(() => stopped.push('connection'))
    await listeners.stop()
    await cut
    const { text } = await running.ended
    expect(text).toContain('begun ')
    expect(text).not.toMatch(/0\r\n\r\n$/)
    expect(stopped[0]).toBe('client')
    expect(stopped.at(-1)).toBe('connection')
  })

  test('listeners stop at once when nothing runs, twice is once, and without a start it does nothing', async () => {
    const { listener } = handListener()
    const listeners = createListeners({ clients: [], listeners: [listener], log }, { drainMs: 60_000 })
    await listeners.start(SIGNAL)
    await Promise.all([listeners.stop(), listeners.stop()])
    await listeners.stop()
    await createListeners({ clients: [], listeners: [handListener().listener], log }).stop()
  })
})

describe('the local listener', () => {
  test('the local listener names the holder of a taken port', async () => {
    const { listener } = handListener()
    await listener.start(SIGNAL)
    const second = createLocalListener({ log, handler: () => undefined }, { host: '127.0.0.1', port: portOf(listener) })
    await expect(second.start(SIGNAL)).rejects.toMatchObject({ code: 'port_in_use' })
    await second.stop()
    await listener.stop()
  })

  test('the local listener never writes its own error into a running answer', async () => {
    const { listener, next } = handListener()
    await listener.start(SIGNAL)
    const connection = openRaw(portOf(listener), GET)
    const response = await next()
    const closed = once(response, 'close')
    connection.socket.write('this is not HTTP\r\n\r\n')
    await closed
    expect((await connection.ended).text.match(/HTTP\/1\.1/g)).toHaveLength(1)
    await listener.stop()
  })
})

import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { ServerResponse } from 'node:http'
import { createDoors } from '../../../src-main/gateway/listener/listeners.js'
import { createLocalDoor, type LocalDoor } from '../../../src-main/gateway/listener/local-listener.js'
import type { Service } from '../../../src-main/base/lifecycle.js'
import { openRaw } from '../../fixtures/http-server.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

const log = createRecordingLog()
const SIGNAL = new AbortController().signal
const portOf = (door: LocalDoor): number => Number(new URL(door.url!).port)
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

/** A door whose answers a test ends by hand. */
function handDoor(): { door: LocalDoor; next: () => Promise<ServerResponse> } {
  const arrived: ServerResponse[] = []
  const waiting: ((response: ServerResponse) => void)[] = []
  const door = createLocalDoor(
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
    door,
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

describe('doors that are stopped', () => {
  test('let a running answer finish, take nobody in meanwhile, and close the connection behind it', async () => {
    const { door, next } = handDoor()
    const doors = createDoors({ clients: [], doors: [door], log }, { drainMs: 60_000 })
    await doors.start(SIGNAL)
    const port = portOf(door)
    const running = openRaw(port, GET)
    const response = await next()
    const idle = openRaw(port, '')
    await once(idle.socket, 'ready')
    const stopping = doors.stop()
    expect(door.url).toBeUndefined()
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

  test('cut what still runs after the grace, the clients behind them first', async () => {
    const { door, next } = handDoor()
    const stopped: string[] = []
    const doors = createDoors({ clients: [recordingClient(stopped)], doors: [door], log }, { drainMs: 20 })
    await doors.start(SIGNAL)
    const running = openRaw(portOf(door), GET)
    const response = await next()
    const cut = once(response, 'close').then(() => stopped.push('connection'))
    await doors.stop()
    await cut
    const { text } = await running.ended
    expect(text).toContain('begun ')
    expect(text).not.toMatch(/0\r\n\r\n$/)
    expect(stopped[0]).toBe('client')
    expect(stopped.at(-1)).toBe('connection')
  })

  test('stop at once when nothing runs, twice is once, and without a start it does nothing', async () => {
    const { door } = handDoor()
    const doors = createDoors({ clients: [], doors: [door], log }, { drainMs: 60_000 })
    await doors.start(SIGNAL)
    await Promise.all([doors.stop(), doors.stop()])
    await doors.stop()
    await createDoors({ clients: [], doors: [handDoor().door], log }).stop()
  })
})

describe('the local door', () => {
  test('names the holder of a taken port', async () => {
    const { door } = handDoor()
    await door.start(SIGNAL)
    const second = createLocalDoor({ log, handler: () => undefined }, { host: '127.0.0.1', port: portOf(door) })
    await expect(second.start(SIGNAL)).rejects.toMatchObject({ code: 'port_in_use' })
    await second.stop()
    await door.stop()
  })

  test('never writes an error of its own into a running answer', async () => {
    const { door, next } = handDoor()
    await door.start(SIGNAL)
    const connection = openRaw(portOf(door), GET)
    const response = await next()
    const closed = once(response, 'close')
    connection.socket.write('this is not HTTP\r\n\r\n')
    await closed
    expect((await connection.ended).text.match(/HTTP\/1\.1/g)).toHaveLength(1)
    await door.stop()
  })
})

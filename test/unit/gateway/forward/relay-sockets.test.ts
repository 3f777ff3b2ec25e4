import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { relaySockets, type RelayEnd } from '../../../../src-main/gateway/forward/websocket.js'

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

/** Two ends of one TCP connection. */
async function connection(): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [near] = (await accepted) as [Socket]
  server.close()
  for (const socket of [near, far]) socket.on('error', () => undefined)
  cleanups.push(() => {
    near.destroy()
    far.destroy()
  })
  return [near, far]
}

async function relayed(idleMs = 0): Promise<{ client: Socket; server: Socket; end: Promise<RelayEnd> }> {
  const [[clientSide, client], [serverSide, server]] = await Promise.all([connection(), connection()])
  const end = relaySockets({ client: clientSide, server: serverSide }, { idleMs })
  return { client, server, end }
}

describe('two joined connections', () => {
  test('pass bytes both ways and end together when one side closes', async () => {
    const { client, server, end } = await relayed()
    const atServer = once(server, 'data')
    client.write('question')
    expect(String((await atServer)[0])).toBe('question')
    const atClient = once(client, 'data')
    server.write('answer!')
    expect(String((await atClient)[0])).toBe('answer!')
    server.end('last words')
    expect(String((await once(client, 'data'))[0])).toBe('last words')
    await once(client, 'end')
    client.end()
    server.resume()
    expect(await end).toEqual({ by: 'server', broken: false, clientBytes: 8, serverBytes: 17 })
  })

  test('say who broke the connection', async () => {
    for (const by of ['client', 'server'] as const) {
      const pair = await relayed()
      const other = by === 'client' ? pair.server : pair.client
      other.resume()
      other.once('end', () => other.end())
      pair[by].resetAndDestroy()
      expect(await pair.end).toMatchObject({ by, broken: true })
    }
  })

  test('do not wait for ever for a side that ignores the end of the other', async () => {
    const { client, server, end } = await relayed()
    server.resume()
    client.end()
    await once(server, 'end')
    expect(await end).toMatchObject({ by: 'client', broken: false })
  })

  test('are cut when nobody says a byte for too long', async () => {
    const { client, server, end } = await relayed(500)
    client.resume()
    server.resume()
    client.write('x')
    expect(await end).toMatchObject({ by: 'idle', broken: false, clientBytes: 1 })
  })

  test('hold no more than buffers while one side does not read', async () => {
    const { client, server, end } = await relayed()
    client.pause()
    const block = Buffer.alloc(1024 * 1024)
    let written = 0
    // Until the writer is held back and stays so: what is on its way is in sockets, not in this process.
    for (let held = 0; held < 20 && written < 1024;) {
      if (server.write(block)) held = 0
      else if (server.writableLength > 0) held += 1
      written += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(server.writableLength).toBeGreaterThan(0)
    client.resume()
    server.end()
    let read = 0
    client.on('data', (chunk: Buffer) => (read += chunk.length))
    await once(client, 'end')
    expect(read).toBe(written * block.length)
    client.end()
    server.resume()
    expect((await end).serverBytes).toBe(read)
  })

  test('that are gone before they were joined are over at once', async () => {
    const [[clientSide], [serverSide]] = await Promise.all([connection(), connection()])
    clientSide.destroy()
    expect(await relaySockets({ client: clientSide, server: serverSide }, { idleMs: 0 })).toMatchObject({
      by: 'client',
      broken: true,
    })
    expect(serverSide.destroyed).toBe(true)
  })
})

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { parseBootstrapSettings } from '../../../../src-main/p2p/bootstrap/parse-source.js'
import type { NameLookup } from '../../../../src-main/p2p/bootstrap/resolve-dnsaddr.js'
import { resolveSource } from '../../../../src-main/p2p/bootstrap/resolve-source.js'

const PEER = '12D3KooWEzksHRbD1rRhLWC7v7DZrYEQp9S24jvdLTgomDYpLAjD'
const GOOD = `/ip4/10.0.0.1/tcp/43905/p2p/${PEER}`
const MIB = 1024 * 1024

const codeOf = (code: string): Error => Object.assign(new Error(`query${code}`), { code })

/** Names that only these tests know; no question leaves the machine. */
function names(over: Partial<NameLookup> = {}): NameLookup {
  return {
    lookup: (_name, _options, callback) => callback(codeOf('ENOTFOUND'), ''),
    resolveTxt: () => Promise.reject(codeOf('ENOTFOUND')),
    ...over,
  }
}

/** TXT records by name. */
function records(known: Record<string, string[]>): { names: NameLookup; asked: string[] } {
  const asked: string[] = []
  const resolveTxt: NameLookup['resolveTxt'] = (name) => {
    asked.push(name)
    const found = known[name.replace('_dnsaddr.', '')]
    return found === undefined
      ? Promise.reject(codeOf('ESERVFAIL'))
      : Promise.resolve(found.map((entry) => [`dnsaddr=${entry}`]))
  }
  return { names: names({ resolveTxt }), asked }
}

async function ask(source: string, using = names()) {
  const [parsed] = parseBootstrapSettings([{ setting: 'bootstrap.sources', values: [source] }]).sources
  if (parsed === undefined) throw new Error(`${source} is no source`)
  const startedAt = performance.now()
  const result = await resolveSource(parsed, new AbortController().signal, using)
  return { ...result, ms: performance.now() - startedAt }
}

const reasonOf = async (source: string, using?: NameLookup): Promise<string> => {
  const result = await ask(source, using)
  return result.ok ? 'it answered' : result.reason
}

const ends: (() => void)[] = []
afterAll(() => {
  for (const end of ends.splice(0)) end()
})

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function web(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return await listening(server)
}

/** A server that says what it likes, HTTP or not. */
async function raw(talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    talk(socket)
  })
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return await listening(server)
}

function every(ms: number, socket: { once(event: 'close', listener: () => void): unknown }, write: () => void): void {
  const timer = setInterval(write, ms)
  socket.once('close', () => clearInterval(timer))
}

describe('a name', () => {
  test('that nobody knows is told as such', async () => {
    expect(await reasonOf('http://nowhere.invalid:8092/')).toBe('its host name is not known (ENOTFOUND)')
  })

  test('that no name server tells is told as such', async () => {
    const silent = names({ lookup: (_name, _options, callback) => callback(codeOf('EAI_AGAIN'), '') })
    expect(await reasonOf('http://nowhere.invalid:8092/', silent)).toContain('no name server answers')
  })

  test('of a dnsaddr that fails is told as such', async () => {
    expect(await reasonOf('dnsaddr://nowhere.invalid')).toBe('its host name is not known (ENOTFOUND)')
    const { names: broken } = records({})
    expect(await reasonOf('/dnsaddr/nowhere.invalid', broken)).toContain('ESERVFAIL')
  })
})

describe('a dnsaddr', () => {
  test('that leads back to itself ends, and what it tells besides counts', async () => {
    const { names: loop, asked } = records({
      'a.invalid': ['/dnsaddr/b.invalid', GOOD],
      'b.invalid': ['/dnsaddr/a.invalid', '/dnsaddr/b.invalid'],
    })
    expect(await ask('/dnsaddr/a.invalid', loop)).toMatchObject({ ok: true, addresses: [GOOD] })
    expect(asked).toEqual(['_dnsaddr.a.invalid', '_dnsaddr.b.invalid'])
  })

  test('that only leads back to itself tells nothing', async () => {
    const { names: loop } = records({ 'a.invalid': ['/dnsaddr/a.invalid'] })
    expect(await reasonOf('/dnsaddr/a.invalid', loop)).toContain('no record')
  })

  test('of which one branch fails keeps the others', async () => {
    const { names: half } = records({
      'a.invalid': ['/dnsaddr/broken.invalid', '/dnsaddr/b.invalid'],
      'b.invalid': [GOOD],
    })
    expect(await ask('/dnsaddr/a.invalid', half)).toMatchObject({ ok: true, addresses: [GOOD] })
  })

  test('with thousands of records and of names behind them costs few questions', async () => {
    const wide = (prefix: string): string[] =>
      Array.from({ length: 5_000 }, (_, index) => `/dnsaddr/${prefix}${index}.invalid`)
    const { names: huge, asked } = records({ 'a.invalid': [GOOD, 'x'.repeat(64 * 1024), ...wide('b')] })
    expect(await ask('/dnsaddr/a.invalid', huge)).toMatchObject({ ok: true, addresses: [GOOD] })
    expect(asked.length).toBeLessThanOrEqual(16)
  })

  test('with records that are no addresses counts them', async () => {
    const { names: odd } = records({ 'a.invalid': [GOOD, 'nonsense', '/ip4/10.0.0.1/tcp/0', 'x'.repeat(10_000)] })
    expect(await ask('/dnsaddr/a.invalid', odd)).toMatchObject({ ok: true, addresses: [GOOD], skipped: 3 })
  })
})

describe('an HTTP source', () => {
  test.each([302, 301, 308])('that redirects (%i) is not followed, and says where it leads', async (status) => {
    let asked = 0
    const other = await web((_request, response) => {
      asked += 1
      response.end(JSON.stringify({ bootstraps: [GOOD] }))
    })
    for (const location of [other, '/', 'file:///etc/hostname', `//user@${new URL(other).host}/`]) {
      const source = await web((_request, response) => response.writeHead(status, { location }).end())
      expect(await reasonOf(source)).toContain(`redirects to ${location}, which is not followed`)
    }
    expect(asked).toBe(0)
  })

  test('that sends a packed bomb is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * MIB))
    const source = await web((_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb))
    expect(await reasonOf(source)).toContain('packed (gzip)')
  })

  test('that never ends its body or its head is left after one megabyte or 16 KiB', async () => {
    let bytes = 0
    const pour = (socket: Socket, block: string): void => {
      const write = (): void => {
        while (!socket.destroyed && bytes < 64 * MIB) {
          bytes += block.length
          if (!socket.write(block)) return
        }
      }
      socket.on('drain', write)
      write()
    }
    const body = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      pour(socket, 'x'.repeat(64 * 1024))
    })
    expect(await reasonOf(body)).toContain('larger than')
    const head = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      pour(socket, `x: ${'y'.repeat(1024)}\r\n`)
    })
    expect(await reasonOf(head)).toContain('head of its answer')
    expect(bytes).toBeLessThan(32 * MIB)
  })

  test('that is no HTTP, hangs up or refuses is told as such', async () => {
    expect(await reasonOf(await raw((socket) => socket.end('SSH-2.0-OpenSSH_9.7\r\n')))).not.toBe('')
    expect(await reasonOf(await raw((socket) => socket.destroy()))).toContain('the connection was cut')
    expect(await reasonOf('http://127.0.0.1:1/')).toBe('nothing listens there (ECONNREFUSED)')
  })
})

describe.concurrent('a source has five seconds', () => {
  const late = async (source: string, using?: NameLookup): Promise<void> => {
    const result = await ask(source, using)
    expect(result).toMatchObject({ ok: false, reason: 'it did not answer within 5 seconds' })
    expect(result.ms).toBeGreaterThan(4_900)
    expect(result.ms).toBeLessThan(20_000)
  }

  test('while its body drips', async () => {
    await late(
      await web((_request, response) => {
        response.write('{"bootstraps":[')
        every(50, response, () => response.write(' '))
      }),
    )
  })

  test('while its head drips', async () => {
    await late(
      await raw((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nslow: ')
        every(50, socket, () => socket.write('y'))
      }),
    )
  })

  test('while its name is looked up, by something that listens to nobody', async () => {
    await late('http://nowhere.invalid/', names({ lookup: () => undefined }))
  })

  test('while its records are looked up, by something that listens to nobody', async () => {
    await late('/dnsaddr/nowhere.invalid', names({ resolveTxt: () => new Promise(() => undefined) }))
  })

  test('while each of its records leads to one more', async () => {
    let asked = 0
    const resolveTxt: NameLookup['resolveTxt'] = async (_name, signal) => {
      asked += 1
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 2_000)
        signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
      })
      return Array.from({ length: 10 }, (_, index) => [`dnsaddr=/dnsaddr/n${asked}-${index}.invalid`])
    }
    await late('/dnsaddr/nowhere.invalid', names({ resolveTxt }))
  })
})

import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { Exchange } from '../../../../src-main/gateway/forward/exchange.js'
import { createTargets } from '../../../../src-main/gateway/forward/targets.js'
import type { LocalService } from '../../../../src-main/services/index.js'

const SERVICE = {
  ...{ id: 'llm@[::1]:1234', name: 'llm', host: '::1', port: 1234, serverModelIds: new Map(), models: [] },
} as unknown as LocalService

const clients = { to: () => ({}) } as never

function headersFor(exchange: Partial<Exchange>, key?: string): Record<string, unknown> {
  const registry = { get: () => undefined, apiKey: () => key }
  const targets = createTargets({ peerClients: clients, localClients: clients, registry })
  const whole = {
    ...{ listener: 'local', requestId: 'mine', hops: 'me', body: { kind: 'none' }, reply: { isHandshake: false } },
    ...exchange,
  } as unknown as Exchange
  return targets.ofService(whole, SERVICE, '/v1/chat/completions', false).target.headers
}

const request = {
  headers: {
    ...{ host: 'localhost:8092', authorization: 'Bearer the-clients', accept: '*/*', 'x-request-id': 'the-peers' },
    ...{ 'content-type': 'text/plain', 'content-length': '5', 'content-encoding': 'gzip' },
  },
} as unknown as Exchange['request']
const body = { kind: 'read', bytes: Buffer.from('{}'), contentType: 'application/json', unpacked: true } as const

describe('the headers of a request to a local server', () => {
  test('name the server, and its key in place of the client’s', () => {
    expect(headersFor({ request })).toMatchObject({ host: '[::1]:1234', authorization: 'Bearer the-clients' })
    expect(headersFor({ request }, 'the-servers')).toMatchObject({ authorization: 'Bearer the-servers' })
  })

  test('say of a body that was read what it is now, and of a streamed one what its sender said', () => {
    const read = headersFor({ request, body })
    expect(read).toMatchObject({ 'content-type': 'application/json' })
    expect(Object.keys(read)).not.toEqual(expect.arrayContaining(['content-length']))
    expect(Object.keys(read)).not.toEqual(expect.arrayContaining(['content-encoding']))
    expect(headersFor({ request, body: { kind: 'stream', stream: request } })).toMatchObject({
      ...{ 'content-type': 'text/plain', 'content-length': '5', 'content-encoding': 'gzip' },
    })
  })

  test('carry the id of this machine’s own request, and never one that a peer has chosen', () => {
    expect(headersFor({ request })).toMatchObject({ 'x-request-id': 'mine' })
    const ids = [1, 2].map(() => headersFor({ request, listener: 'peer' })['x-request-id'])
    expect(new Set([...ids, 'mine', 'the-peers']).size).toBe(4)
  })

  test('stay an object that V8 reads fast, and no hash table', () => {
    setFlagsFromString('--allow-natives-syntax')
    const isQuick = runInThisContext('(object) => %HasFastProperties(object)') as (object: object) => boolean
    const table: Record<string, string> = { one: '1', two: '2' }
    delete table['one']
    expect(isQuick(table)).toBe(false)
    expect(isQuick(headersFor({ request, body }, 'the-servers'))).toBe(true)
    expect(isQuick(headersFor({ request, body, listener: 'peer' }))).toBe(true)
  })
})

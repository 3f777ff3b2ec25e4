import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ask } from '../../src-main/http-client/ask.js'
import { createPeerClients } from '../../src-main/p2p/http/peer-clients.js'
import { createPeerListener } from '../../src-main/p2p/http/peer-listener.js'
import { addressesOver, createHosts, silentLog, until, type HostFactory } from '../fixtures/hosts.js'

let hosts: HostFactory
beforeEach(() => {
  hosts = createHosts()
})
afterEach(() => hosts.close())

test('a peer that thinks is not suspected over QUIC while another stream to it idles', async () => {
  const [user, provider] = await Promise.all([hosts.host({ mode: 'standalone' }), hosts.host({ mode: 'standalone' })])
  const held: ServerResponse[] = []
  const listener = createPeerListener({
    host: provider,
    handler: (request, response) => (request.url!.endsWith('/think') ? held.push(response) : response.end('hello')),
    log: silentLog,
  })
  const clients = createPeerClients({ host: user, log: silentLog }, { connectTimeoutMs: () => 5_000 })
  await Promise.all([listener, clients].map((service) => service.start(new AbortController().signal)))
  hosts.defer(() => Promise.all([clients.stop(), listener.stop()]))
  const get = async (path: string): Promise<string> => {
    const [host, signal] = [provider.peerId, AbortSignal.timeout(60_000)]
    return (await ask(clients.to(host), { host, path: `/v1/_service/llm/${path}`, maxBytes: 100, signal })).text
  }
  const connection = await user.libp2p.dial(addressesOver(provider, 'quic').map((text) => multiaddr(text)))
  const suspected: Connection[] = []
  user.liveness!.onSuspect((suspect) => suspected.push(suspect))
  const thought = get('think')
  expect(await get('hello')).toBe('hello')
  await until('it thinks', () => held.length === 1)
  // A quiet connection is asked every second.
  const opened = vi.spyOn(connection, 'newStream')
  const pings = () => opened.mock.calls.filter(([protocol]) => protocol === '/ipfs/ping/1.0.0')
  await until('it was quiet for seconds', () => pings().length >= 3)
  held[0]!.end('a thought')
  await once(held[0]!, 'close')
  expect([await thought, suspected]).toEqual(['a thought', []])
})

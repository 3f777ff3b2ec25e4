import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { sourceOf, sourceOfHost } from '../../../../../src-main/p2p/dial/ip-scope.js'
import {
  createInboundGate,
  INBOUND_GATE,
} from '../../../../../src-main/p2p/hardening/connection-limits/inbound-gate.js'
import { createRecordingLog } from '../../../../fixtures/recording-log.js'

const RELAY = '12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM'

test('a source is an address, a public IPv6 /64, or the relay in between', () => {
  expect(sourceOf('/ip4/5.1.2.3/tcp/9')).toBe('5.1.2.3')
  expect(sourceOf('/ip4/5.1.2.3/udp/9/quic-v1')).toBe('5.1.2.3')
  expect(sourceOf('/ip6/2a00:1:2:3:4:5:6:7/tcp/9')).toBe(sourceOf('/ip6/2a00:1:2:3::1/tcp/9/ws'))
  expect(sourceOf('/ip6/2a00:1:2:4::1/tcp/9')).not.toBe(sourceOf('/ip6/2a00:1:2:3::1/tcp/9'))
  expect(sourceOf(`/ip4/5.1.2.3/tcp/9/p2p/${RELAY}/p2p-circuit`)).toBe(`relay ${RELAY}`)
  expect(sourceOfHost('::ffff:5.1.2.3')).toBe('5.1.2.3')
})

test('machines of one local network are sources of their own, though they share its /64', () => {
  expect(sourceOf('/ip6/fe80::1/tcp/9')).not.toBe(sourceOf('/ip6/fe80::2/tcp/9'))
  expect(sourceOf('/ip6/fd00::1/tcp/9')).not.toBe(sourceOf('/ip6/fd00::2/tcp/9'))
  expect(sourceOf('/ip4/10.0.0.1/tcp/9')).not.toBe(sourceOf('/ip4/10.0.0.2/tcp/9'))
})

function gateWith(options: Partial<typeof INBOUND_GATE>, mayEnter = true) {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  const log = createRecordingLog()
  const gate = createInboundGate({ mayEnter: () => mayEnter, log, clock }, { ...INBOUND_GATE, ...options })
  let port = 0
  const begin = (ip: string, onEvicted = (): void => undefined) =>
    gate.begin(`/ip4/${ip}/tcp/${(port += 1)}`, onEvicted)
  return { clock, begin, gate, log }
}

test('a thousand peers behind one address may come at the same moment', () => {
  const { begin } = gateWith({})
  expect(Array.from({ length: 1000 }, () => begin('5.1.2.3')).every((slot) => slot !== undefined)).toBe(true)
})

test('handshakes of one address are counted, those that are refused cost it nothing, and time brings them back', () => {
  const { clock, begin } = gateWith({ handshakes: { capacity: 3, refillPerS: 1 } })
  for (let index = 0; index < 3; index += 1) begin('5.1.2.3')?.release()
  expect(begin('5.1.2.3')).toBeUndefined()
  expect(begin('5.1.2.3')).toBeUndefined()
  expect(begin('5.9.9.9')).toBeDefined()
  clock.ms = 1000
  expect(begin('5.1.2.3')).toBeDefined()
})

test('half a handshake of the greediest address is cut for another address', () => {
  const { begin } = gateWith({ maxPending: 3 })
  let cut = 0
  for (let index = 0; index < 3; index += 1) begin('5.1.2.3', () => (cut += 1))
  expect(begin('5.1.2.3')).toBeUndefined()
  expect(begin('5.9.9.9')).toBeDefined()
  expect(cut).toBe(1)
})

test('a connection that would not be kept is not even begun', () => {
  expect(gateWith({}, false).begin('5.1.2.3')).toBeUndefined()
})

test('silent connections of one address that fill the gate are closed for one of the same address that speaks', async () => {
  const { gate, log } = gateWith({ maxPending: 2 })
  const server = createServer()
  gate.watch(server, { waits: false })
  const accepted: Socket[] = []
  const kept: string[] = []
  const upgrades: boolean[] = []
  server.on('connection', (socket: Socket) => {
    const name = `/ip4/127.0.0.1/tcp/${socket.remotePort!}`
    accepted.push(socket)
    kept.push(name)
    upgrades.push(
      gate.begin(name, () => {
        kept.splice(kept.indexOf(name), 1)
        socket.destroy()
      }) !== undefined,
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const open = async (): Promise<[Socket, string]> => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await Promise.all([once(client, 'connect'), once(server, 'connection')])
    return [client, `/ip4/127.0.0.1/tcp/${client.localPort!}`]
  }

  const [speaks, speaking] = await open()
  speaks.write('hello')
  await expect.poll(() => accepted[0]?.bytesRead).toBe(5)
  const [, firstSilent] = await open()
  const [, secondSilent] = await open()

  expect(upgrades).toEqual([true, true, true])
  expect(kept).not.toContain(firstSilent)
  expect(kept).toEqual([speaking, secondSilent])
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  server.close()
  speaks.destroy()
})

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Host } from '../../src-main/p2p/index.js'
import { addressesOver, createHosts, until, type HostFactory } from '../fixtures/hosts.js'

let hosts: HostFactory
beforeEach(() => {
  hosts = createHosts()
})
afterEach(() => hosts.close())

/** This machine's own address in a network: who is met at it is met beyond loopback. */
const lanIp = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
if (lanIp === undefined) process.stdout.write('skipped: this machine is in no network\n')

/** Any program: it takes connections, counts them and says what many services say. */
async function startCanary(where: { port: number; host: string } | { path: string }) {
  let count = 0
  const server = createServer((socket) => {
    count += 1
    socket.on('error', () => undefined)
    socket.resume().end('220 ready\r\n')
  }).listen(where)
  hosts.defer(() => new Promise((resolve) => server.close(resolve)))
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, connections: () => count }
}

/** A node that listens beyond loopback, as every node does unless told otherwise. */
const startNode = (options: object = {}): Promise<Host> =>
  hosts.host({ listenHosts: ['127.0.0.1', lanIp!], upnp: false, mdns: false, ...options })

const knownOf = async (host: Host, peerId: string): Promise<string[]> => {
  const id = peerIdFromString(peerId)
  if (!(await host.libp2p.peerStore.has(id))) return []
  const { addresses } = await host.libp2p.peerStore.get(id)
  return addresses.map(({ multiaddr: address }) => address.toString())
}

const dialAgain = (host: Host, peerId: string): Promise<unknown> =>
  host.libp2p.dial(peerIdFromString(peerId)).catch((error: unknown) => error)

const strangers = async (count: number): Promise<string[]> =>
  await Promise.all(
    Array.from({ length: count }, async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()),
  )

test.skipIf(lanIp === undefined)(
  'a loopback port that a peer from elsewhere announces is never connected to, also when that peer is gone',
  async () => {
    const canary = await startCanary({ port: 0, host: '127.0.0.1' })
    const node = await startNode()
    const hostile = await startNode({ publicAddr: `127.0.0.1:${canary.port}` })
    const [real = ''] = addressesOver(hostile, 'tcp').filter((address) => address.includes(lanIp!))
    await node.libp2p.dial(multiaddr(real))
    const announced = `/ip4/127.0.0.1/tcp/${canary.port}`
    await until('the node has read what the peer announces', async () =>
      (await knownOf(node, hostile.peerId)).includes(announced),
    )
    await hostile.stop()
    await until('the node noticed that the peer is gone', () => !node.isConnected(hostile.peerId))
    for (let times = 0; times < 3; times += 1) expect(await dialAgain(node, hostile.peerId)).toBeInstanceOf(Error)
    expect(canary.connections()).toBe(0)
  },
  60_000,
)

test.skipIf(lanIp === undefined)(
  'no spelling of an address of this machine gets a stranger a connection to it',
  async () => {
    const canary = await startCanary({ port: 0, host: '127.0.0.1' })
    const path = join(await hosts.folder(), 'service.sock')
    const socket = await startCanary({ path })
    const node = await startNode()
    const met = await startNode()
    await node.libp2p.dial(multiaddr(addressesOver(met, 'tcp').find((address) => address.includes(lanIp!))))
    const [stranger = '', relay = ''] = await strangers(2)
    const { port } = canary
    const addresses = [
      `/ip4/127.0.0.1/tcp/${port}`,
      `/ip4/127.0.0.1/tcp/${port}/ws`,
      `/ip4/0.0.0.0/tcp/${port}`,
      `/ip6/::ffff:127.0.0.1/tcp/${port}`,
      `/dns4/localhost/tcp/${port}`,
      `/dns/localhost/tcp/${port}/ws`,
      `/ip4/127.0.0.1/tcp/${port}/p2p/${relay}/p2p-circuit`,
      `/unix/${encodeURIComponent(path)}`,
    ]
    for (const address of addresses) {
      await node.libp2p.peerStore.patch(peerIdFromString(stranger), { multiaddrs: [multiaddr(address)] })
      await dialAgain(node, stranger)
      await node.libp2p.dial(multiaddr(address)).catch(() => undefined)
      expect([address, canary.connections(), socket.connections()]).toEqual([address, 0, 0])
    }
  },
  60_000,
)

test.skipIf(lanIp === undefined)(
  'a port that speaks another protocol is connected to once, under however many peer ids it is announced',
  async () => {
    const canary = await startCanary({ port: 0, host: lanIp! })
    const node = await startNode()
    const ids = await strangers(20)
    await Promise.all(
      ids.map(async (id) => {
        const multiaddrs = ['', '/ws'].map((end) => multiaddr(`/ip4/${lanIp!}/tcp/${canary.port}${end}`))
        await node.libp2p.peerStore.patch(peerIdFromString(id), { multiaddrs })
        expect(await dialAgain(node, id)).toBeInstanceOf(Error)
      }),
    )
    expect(canary.connections()).toBe(1)
  },
  60_000,
)

test.skipIf(lanIp === undefined)(
  'a peer on this machine is dialled at its loopback address once it has been met there',
  async () => {
    const node = await startNode()
    const beyond = await startNode()
    await node.libp2p.dial(multiaddr(addressesOver(beyond, 'tcp').find((address) => address.includes(lanIp!))))
    const sibling = await hosts.host({ upnp: false, mdns: false })
    const [address = ''] = addressesOver(sibling, 'tcp')
    await expect(node.libp2p.dial(multiaddr(address))).rejects.toThrow()
    node.nameAddresses?.([address])
    await node.libp2p.dial(multiaddr(address))
    await node.libp2p.hangUp(sibling.libp2p.peerId)
    const [socket = ''] = addressesOver(sibling, 'ws')
    await node.libp2p.dial(multiaddr(socket))
    expect(node.isConnected(sibling.peerId)).toBe(true)
  },
  60_000,
)

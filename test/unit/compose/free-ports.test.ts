import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { withFreePorts } from '../../../src-main/compose/free-ports.js'
import { loadSettings } from '../../../src-main/config/load-settings.js'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

async function heldTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  return (server.address() as AddressInfo).port
}

async function heldUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  cleanups.push(() => socket.close())
  return socket.address().port
}

/** Settings with these ports as if they were the defaults, and those flags given. */
function settingsWith(defaults: Record<string, number>, flags: Record<string, string> = {}) {
  const free = { port: '0', 'api-port': '0', tcpport: '0', wsport: '0', udpport: '0' }
  const given = Object.fromEntries(Object.entries(free).filter(([name]) => !(name in defaults)))
  const loaded = loadSettings({
    flags: { 'p2p-host': '127.0.0.1', ...given, ...flags },
    env: {},
    folders: { data: '/nowhere', config: '/nowhere' },
    readFile: () => undefined,
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return { settings: { ...loaded.settings, ...defaults }, origins: loaded.origins }
}

test.each([
  ['port', heldTcpPort],
  ['api-port', heldTcpPort],
  ['tcpport', heldTcpPort],
  ['udpport', heldUdpPort],
] as const)('a default %s that is in use is replaced, and that is told', async (setting, held) => {
  const from = await held()
  const { settings, origins, moved } = await withFreePorts(settingsWith({ [setting]: from }))
  expect(moved).toEqual([{ setting, from, to: settings[setting] }])
  expect(settings[setting]).toBeGreaterThan(0)
  expect(settings[setting]).not.toBe(from)
  expect(origins[setting]).toEqual({ kind: 'default', label: `default ${from} is in use` })
})

test('a port that was given stays, in use or not', async () => {
  const port = await heldTcpPort()
  const given = settingsWith({}, { port: String(port), tcpport: String(await heldTcpPort()) })
  expect(await withFreePorts(given)).toEqual({ ...given, moved: [] })
})

test('a default that is free stays', async () => {
  const port = await heldTcpPort()
  cleanups.splice(0).forEach((free) => free())
  expect((await withFreePorts(settingsWith({ tcpport: port }))).settings.tcpport).toBe(port)
})

test('the default WebSocket port follows a TCP port of 0, and a given one does not', async () => {
  const ports = async (given: ReturnType<typeof settingsWith>) => (await withFreePorts(given)).settings.wsport
  expect(await ports(settingsWith({ wsport: 43906 }))).toBe(0)
  expect(await ports(settingsWith({}, { wsport: '51234' }))).toBe(51234)
})

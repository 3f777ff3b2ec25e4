import { multiaddr } from '@multiformats/multiaddr'
import { TABLE_TOPIC } from '../../../src-main/p2p/host/gossip-scores.js'
import type { Host } from '../../../src-main/p2p/index.js'
import { startBareHost } from '../../fixtures/bare-host.js'
import { requestOver } from '../../fixtures/light-host.js'

/** What the bench may ask of a part of the crowd. */
export type CrowdCommand =
  | { do: 'connect'; address: string; parallel: number }
  | { do: 'request'; peerId: string; path: string; perPeer: number }
  | { do: 'heard'; text: string }
  | { do: 'connected' }

// Some hundred light peers in one process: TCP, noise, yamux, identify and the table's topic, and no table.
const hosts: Host[] = []
const MOST_DIALS = 5
const heard = new Map<Host, string>()
for (let index = 0; index < Number(process.argv[2]); index += 1) {
  const host = await startBareHost()
  host.pubsub.addEventListener('gossipsub:message', ({ detail }) => {
    heard.set(host, (heard.get(host) ?? '') + Buffer.from(detail.msg.data).toString('latin1'))
  })
  host.pubsub.subscribe(TABLE_TOPIC)
  hosts.push(host)
}

async function connect(address: string, parallel: number): Promise<{ errors: string[]; dialMs: number[] }> {
  const errors: string[] = []
  const dialMs: number[] = []
  const waiting = [...hosts]
  async function work(): Promise<void> {
    for (let host = waiting.pop(); host !== undefined; host = waiting.pop()) {
      // Handshakes of a crowd wait for each other, and end after some seconds: who gets none dials again, as a node does.
      for (let tries = 1; tries <= MOST_DIALS; tries += 1) {
        const startedAt = performance.now()
        try {
          await host.libp2p.dial(multiaddr(address), { signal: AbortSignal.timeout(30_000) })
          dialMs.push(performance.now() - startedAt)
          break
        } catch (error) {
          errors.push(String(error))
        }
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return { errors, dialMs }
}

async function request(host: Host, peerId: string, path: string): Promise<number> {
  const [connection] = host.connectionsTo(peerId)
  if (connection === undefined) throw new Error('not connected')
  return (await requestOver(connection, path, { method: 'POST', body: '{}', timeoutMs: 60_000 })).status
}

async function requests(peerId: string, path: string, perPeer: number): Promise<{ answers: Record<string, number> }> {
  const answers: Record<string, number> = {}
  const connected = hosts.filter((host) => host.connectionsTo(peerId).length > 0)
  const all = connected.flatMap((host) => Array.from({ length: perPeer }, () => request(host, peerId, path)))
  for (const outcome of await Promise.allSettled(all)) {
    const key = outcome.status === 'fulfilled' ? String(outcome.value) : String(outcome.reason)
    answers[key] = (answers[key] ?? 0) + 1
  }
  return { answers }
}

async function answer(command: CrowdCommand): Promise<object> {
  switch (command.do) {
    case 'connect':
      return await connect(command.address, command.parallel)
    case 'request':
      return await requests(command.peerId, command.path, command.perPeer)
    case 'heard':
      return { count: [...heard.values()].filter((text) => text.includes(command.text)).length }
    case 'connected':
      return { count: hosts.filter(({ libp2p }) => libp2p.getConnections().length > 0).length }
  }
}

process.on('message', (command: CrowdCommand) => {
  answer(command).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('SIGTERM', () => process.exit(0))
process.send?.({ peers: hosts.length })

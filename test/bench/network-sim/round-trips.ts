import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { startChild } from '../table/child.ts'

// Prints round trips that the simulator takes for granted (dialling.ts): how many two real nodes need over a line of
// 400 ms, so that what their processors take does not matter.
// Usage: node test/bench/network-sim/round-trips.ts

const ONE_WAY_MS = 200
const ROUND_TRIP_MS = 2 * ONE_WAY_MS

/** A line to a port of this machine on which each byte, and the connection itself, takes its time. */
async function slowLine(port: number): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    // A connection of TCP takes a round trip of its own.
    const far = new Promise<Socket>((resolve) => setTimeout(() => resolve(connect(port, '127.0.0.1')), ROUND_TRIP_MS))
    sockets.add(near)
    near.on('error', () => undefined)
    near.on('data', (data) => later(far, (socket) => void socket.write(data)))
    near.on('close', () => later(far, (socket) => void socket.destroy()))
    void far.then((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('data', (data) => setTimeout(() => near.write(data), ONE_WAY_MS))
      socket.on('close', () => setTimeout(() => near.destroy(), ONE_WAY_MS))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function later(far: Promise<Socket>, act: (socket: Socket) => void): void {
  void far.then((socket) => setTimeout(() => act(socket), ONE_WAY_MS))
}

async function measure(): Promise<void> {
  const child = startChild('nodes-worker.ts')
  const lines: { close: () => void }[] = []
  try {
    const { addresses } = await child.ask<{ addresses: string[] }>({ start: 2 })
    const [, port = '0', peerId = ''] = /\/tcp\/(\d+)\/p2p\/(\w+)/.exec(addresses[1] ?? '') ?? []
    const line = await slowLine(Number(port))
    lines.push(line)
    const address = `/ip4/127.0.0.1/tcp/${String(line.port)}/p2p/${peerId}`
    const trips = (ms: number): string => (ms / ROUND_TRIP_MS).toFixed(1)
    const { dialMs } = await child.ask<{ dialMs: number }>({ timedDial: address })
    console.log(`a connection: ${trips(dialMs)} round trips`)
    for (const what of ['first', 'second']) {
      const { askMs } = await child.ask<{ askMs: number }>({ timedAsk: peerId })
      console.log(`the ${what} question on it: ${trips(askMs)} round trips`)
    }
  } finally {
    for (const line of lines) line.close()
    await child.stop()
  }
}

await measure()

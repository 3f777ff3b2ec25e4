import { connect, type Socket } from 'node:net'
import type { Service } from '../../base/lifecycle.js'
import { inMicroBatch } from '../../base/micro-batch.js'
import { patientTimeout } from '../../base/patient-timeout.js'
import { createHttpClient, type HttpClient } from '../../http-client/index.js'
import { hostsToTry } from '../../services/index.js'

/** HTTP clients of this machine's own servers, one for each host and port. */
export interface LocalClients extends Service {
  /** What is sent in one turn of the event loop goes out as one micro-batch. */
  to(target: { host: string; port: number }): Pick<HttpClient, 'send'>
}

/** Requests at work at one local server, where nothing else is said; the owner's limits are far below. */
const MAX_CONNECTIONS = 2_048

/** Servers a node talks to; far more than one machine runs. */
const MAX_CLIENTS = 64

/** A connection on loopback is there at once or not at all. */
const CONNECT_TIMEOUT_MS = 2_000

/** Servers of models keep an idle connection for five seconds and more. */
const KEEP_ALIVE_MS = 4_000

/** An empty set of clients; connections open on first use, at most `maxConnections` to each server. */
export function createLocalClients(
  options: { maxConnections: number } = { maxConnections: MAX_CONNECTIONS },
): LocalClients {
  const clients = new Map<string, LocalClient>()
  return {
    name: 'local-clients',
    start: () => Promise.resolve(),
    stop() {
      for (const client of clients.values()) client.destroy(new Error('this node stops'))
      clients.clear()
      return Promise.resolve()
    },
    to({ host, port }) {
      const key = `${host} ${port}`
      const known = clients.get(key)
      if (known !== undefined) return known
      if (clients.size >= MAX_CLIENTS) closeOldest(clients)
      const client = createLocalClient(host, port, options.maxConnections)
      clients.set(key, client)
      return client
    },
  }
}

type LocalClient = Pick<HttpClient, 'send' | 'close' | 'destroy'>

function createLocalClient(host: string, port: number, maxConnections: number): LocalClient {
  const client = createHttpClient({
    connect: () => connectToAny(hostsToTry(host), port),
    maxConnections,
    keepAliveMs: KEEP_ALIVE_MS,
  })
  return {
    send: (request, handler) => inMicroBatch(() => client.send(request, handler)),
    close: () => client.close(),
    destroy: (error) => client.destroy(error),
  }
}

/** All sockets read into it, one after the other: what came is copied at once, and nothing is allocated for the rest. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024)

/** The next one is tried only where nothing listens at the one before; what is told is why the first failed. */
async function connectToAny(hosts: readonly string[], port: number): Promise<Socket> {
  const [host = '', ...others] = hosts
  try {
    return await connectTo(host, port)
  } catch (error) {
    if (others.length === 0 || (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
    return connectToAny(others, port).catch(() => Promise.reject(error as Error))
  }
}

function connectTo(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, onread: { buffer: READ_BUFFER, callback: onRead } })
    function onRead(bytes: number): boolean {
      const piece = Buffer.allocUnsafe(bytes)
      READ_BUFFER.copy(piece, 0, 0, bytes)
      socket.emit('data', piece)
      return true
    }
    const inTime = patientTimeout(() => socket.destroy(new Error('no connection in time')), CONNECT_TIMEOUT_MS)
    socket.once('error', failed)
    socket.once('connect', () => {
      inTime()
      socket.off('error', failed)
      resolve(socket)
    })
    function failed(error: Error): void {
      inTime()
      reject(error)
    }
  })
}

function closeOldest(clients: Map<string, LocalClient>): void {
  for (const [key, client] of clients) {
    clients.delete(key)
    client.close()
    return
  }
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import type { OcfBridge } from '#shared/contract/bridge.js'
import { createFeedReceiver, type Client } from '#shared/contract/client.js'
import type { CallOutput } from '#shared/contract/index.js'
import { createControlServer, type ControlServer } from '../../src-main/api/http/index.js'
import type { Control } from '../../src-main/api/index.js'
import { monotonicClock } from '../../src-main/base/clock.js'
import { serveIpc, type IpcEvent, type IpcReceiver, type IpcSender } from '../../src-main/electron/ipc.js'
import { createHttpClient } from '../../src-renderer/client/http.js'
import { createIpcClient } from '../../src-renderer/client/ipc.js'
import type { FakeNode } from './fake-node.js'

/** A client connected to a node by one kind of transport. */
export interface Connected {
  client: Client
  close(): Promise<void>
}

/** A way to reach a node; every one has to pass the same suite. */
export interface Transport {
  name: string
  connect(node: FakeNode): Promise<Connected>
}

export const TRANSPORTS: readonly Transport[] = [
  {
    name: 'memory',
    connect: (node) => Promise.resolve({ client: memoryClient(node.control), close: () => Promise.resolve() }),
  },
  { name: 'ipc', connect: connectIpc },
  { name: 'http', connect: connectHttp },
]

/** Dispatch and feeds without anything between; values are cloned as every real carrier does. */
function memoryClient(control: Control): Client {
  return {
    async call(name, input) {
      const output = await control.dispatch(name, structuredClone(input), { capabilities: [] })
      return structuredClone(output) as CallOutput<typeof name>
    },
    follow(feed, observer) {
      const receiver = createFeedReceiver(observer, () => {
        throw new Error('a delta in memory did not fit')
      })
      try {
        return control.feeds.follow(feed, {
          ready: () => true,
          send: (message) => receiver.receive(structuredClone(message)),
        })
      } catch (error) {
        observer.onLost?.(error as Error)
        return () => undefined
      }
    },
  }
}

/** A started control server in a folder of its own. */
export async function startServer(
  node: FakeNode,
  options: { rendererDir?: string | null; port?: number; dataDir?: string } = {},
): Promise<{ server: ControlServer; dataDir: string; close: () => Promise<void> }> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'ocf-control-')))
  const server = createControlServer(
    {
      control: node.control,
      gatewayUrl: () => node.needs.gatewayUrl(),
      log: node.needs.log,
      monotonic: monotonicClock,
    },
    { port: options.port ?? 0, rendererDir: options.rendererDir ?? null, dataDir },
  )
  const close = async (): Promise<void> => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    await server.start(new AbortController().signal)
  } catch (error) {
    await close()
    throw error
  }
  return { server, dataDir, close }
}

async function connectHttp(node: FakeNode): Promise<Connected> {
  const { server, close } = await startServer(node)
  const client = createHttpClient({ url: server.url, token: server.token })
  return {
    client,
    close: async () => {
      client.close()
      await close()
    },
  }
}

/** The page's side of IPC, as far as the preload script sees it. */
export interface FakeElectron {
  ipc: IpcReceiver
  /** What a frame at `url` would send. */
  bridge(url: string): Promise<OcfBridge>
  /** Closes the window. */
  destroy(): void
  /** How many handlers the main process has. */
  handlers(): number
}

/** Electron's IPC without Electron: values are cloned, and the real preload script runs on it. */
export function createFakeElectron(): FakeElectron {
  const handlers = new Map<string, (event: IpcEvent, ...args: unknown[]) => unknown>()
  const inPage = new Map<string, (event: unknown, message: unknown) => void>()
  let destroyed = false
  let onDestroyed: (() => void)[] = []
  const sender: IpcSender = {
    id: 1,
    send: (channel, message) => inPage.get(channel)?.({}, structuredClone(message)),
    isDestroyed: () => destroyed,
    once: (_event, listener) => onDestroyed.push(listener),
  }
  return {
    ipc: {
      handle: (channel, listener) => handlers.set(channel, listener),
      removeHandler: (channel) => handlers.delete(channel),
      on: (channel, listener) => handlers.set(channel, listener),
      removeListener: (channel) => handlers.delete(channel),
    },
    async bridge(url) {
      const deliver = (channel: string, args: unknown[]): unknown =>
        handlers.get(channel)?.({ sender, senderFrame: { url } }, ...structuredClone(args))
      let exposed: OcfBridge | undefined
      vi.resetModules()
      vi.doMock('electron', () => ({
        ipcRenderer: {
          on: (channel: string, listener: (event: unknown, message: unknown) => void) => inPage.set(channel, listener),
          send: (channel: string, ...args: unknown[]) => void deliver(channel, args),
          invoke: async (channel: string, ...args: unknown[]) => structuredClone(await deliver(channel, args)),
        },
        contextBridge: { exposeInMainWorld: (_key: string, bridge: OcfBridge) => (exposed = bridge) },
      }))
      await import('../../src-main/electron/preload.js')
      vi.doUnmock('electron')
      if (exposed === undefined) throw new Error('the preload script exposed nothing')
      return exposed
    },
    destroy() {
      destroyed = true
      for (const listener of onDestroyed) listener()
      onDestroyed = []
    },
    handlers: () => handlers.size,
  }
}

async function connectIpc(node: FakeNode): Promise<Connected> {
  const electron = createFakeElectron()
  const stop = serveIpc(
    { ipc: electron.ipc, control: node.control, log: node.needs.log },
    { trustedUrl: 'app://ocf/', capabilities: [] },
  )
  return {
    client: createIpcClient(await electron.bridge('app://ocf/index.html')),
    close: () => Promise.resolve().then(stop),
  }
}

import { Agent, fetch, type Response } from 'undici'
import { z } from 'zod'
import type { Client } from '#shared/contract/client.js'
import type { CallInput, CallName, CallOutput } from '#shared/contract/index.js'
import { AppError, fromWireError, type WireError } from '#shared/errors.js'
import { dashboardLink, readControlFile, REPLACE_TOKEN_PATH } from './http/control-file.js'
export { controlFilePath } from './http/control-file.js'

/** A node's control interface. */
interface Target {
  url: string
  token: string
}

/** Where the node is: its control file, or its address and token. */
export type ControlClientOptions = { controlFile: string } | Target

/** A running node as the command line uses it. */
export interface ControlClient extends Pick<Client, 'call'> {
  /** The link of its dashboard, token included; with `replace`, a new one, and the one before opens nothing any more. */
  dashboard(options: { replace: boolean }): Promise<string>
}

const DashboardSchema = z.object({ dashboard: z.string() })

/** A node that does not answer a call for this long is stuck. The doctor waits for peers, a dozen dials one by one. */
const CALL_TIMEOUT_MS = 15_000
const DOCTOR_TIMEOUT_MS = 120_000
/** Accepting an invite: reaching who made it, and an exchange. */
const JOIN_TIMEOUT_MS = 40_000
/** Loading a model, and a minute of measuring. */
const MEASURE_TIMEOUT_MS = 300_000

/**
 * Calls a running node from the command line. Calls reject with the node's own `AppError`, or with `node_not_running`
 * when there is no control file, its process is gone or nothing listens.
 */
export function createControlClient(options: ControlClientOptions): ControlClient {
  const find = (): Target | Promise<Target> => ('url' in options ? options : findNode(options.controlFile))
  return {
    async call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
      const target = await find()
      const timeoutMs = timeoutOf(name)
      const response = await post(`${target.url}/api/call/${name}`, { token: target.token, input, timeoutMs })
      const body = await readBody(response)
      if (!response.ok) throw fromWireError(asWireError(body))
      // Both ends are built from one contract, and the node validated what it sent.
      return body as CallOutput<N>
    },
    async dashboard({ replace }) {
      const target = await find()
      if (!replace) return dashboardLink(target)
      const call = { token: target.token, input: {}, timeoutMs: CALL_TIMEOUT_MS }
      const response = await post(`${target.url}${REPLACE_TOKEN_PATH}`, call)
      const body = await readBody(response)
      if (!response.ok) throw fromWireError(asWireError(body))
      const { data } = DashboardSchema.safeParse(body)
      if (data === undefined) throw notANode()
      return data.dashboard
    },
  }
}

function timeoutOf(name: CallName): number {
  if (name.startsWith('doctor.')) return DOCTOR_TIMEOUT_MS
  if (name === 'engine.measure') return MEASURE_TIMEOUT_MS
  return name === 'people.join' || name === 'network.join' ? JOIN_TIMEOUT_MS : CALL_TIMEOUT_MS
}

async function findNode(controlFile: string): Promise<Target> {
  const found = await readControlFile(controlFile)
  if (found === undefined || !isAlive(found.pid)) throw notRunning()
  return found
}

async function post(url: string, call: { token: string; input: unknown; timeoutMs: number }): Promise<Response> {
  const { token, input, timeoutMs } = call
  try {
    return await fetch(url, {
      // The node is on this machine: what the environment says of proxies is not about it.
      dispatcher: new Agent(),
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (error) {
    if (error instanceof TypeError) throw notRunning(error)
    if (error instanceof Error && error.name === 'TimeoutError') {
      throw new AppError('upstream_timeout', 'The node is running but did not answer in time.', { cause: error })
    }
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function notRunning(cause?: unknown): AppError {
  return new AppError('node_not_running', 'No node is running here. Start one with `ocf start`.', { cause })
}

async function readBody(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (error) {
    throw notANode(error)
  }
}

function asWireError(body: unknown): WireError {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) throw notANode()
  return body as WireError
}

function notANode(cause?: unknown): AppError {
  return new AppError('internal', 'Something that is not a node answered at this address.', { cause })
}

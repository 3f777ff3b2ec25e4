import type { Client } from '#shared/contract/client.js'
import type { CallInput, CallName, CallOutput } from '#shared/contract/index.js'
import { AppError, fromWireError, type WireError } from '#shared/errors.js'
import { readControlFile } from './http/control-file.js'

/** Where the node is: its control file, or its address and token. */
export type ControlClientOptions = { controlFile: string } | { url: string; token: string }

/** A node that does not answer a call for this long is stuck. The doctor waits for peers, a dozen dials one by one. */
const CALL_TIMEOUT_MS = 15_000
const DOCTOR_TIMEOUT_MS = 120_000

/**
 * Calls a running node from the command line. Calls reject with the node's own `AppError`, or with `node_not_running`
 * when there is no control file, its process is gone or nothing listens.
 */
export function createControlClient(options: ControlClientOptions): Pick<Client, 'call'> {
  return {
    async call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
      const target = 'url' in options ? options : await findNode(options.controlFile)
      const timeoutMs = name.startsWith('doctor.') ? DOCTOR_TIMEOUT_MS : CALL_TIMEOUT_MS
      const response = await post(`${target.url}/api/call/${name}`, { token: target.token, input, timeoutMs })
      const body = await readBody(response)
      if (!response.ok) throw fromWireError(asWireError(body))
      // Both ends are built from one contract, and the node validated what it sent.
      return body as CallOutput<N>
    },
  }
}

async function findNode(controlFile: string): Promise<{ url: string; token: string }> {
  const found = await readControlFile(controlFile)
  if (found === undefined || !isAlive(found.pid)) throw notRunning()
  return found
}

async function post(url: string, call: { token: string; input: unknown; timeoutMs: number }): Promise<Response> {
  const { token, input, timeoutMs } = call
  try {
    return await fetch(url, {
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

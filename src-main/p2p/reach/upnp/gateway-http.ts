import { request, type IncomingMessage } from 'node:http'
import { GatewayFault } from './gateway-problem.js'

/** What is sent to a router; without a body it is a GET. */
export interface GatewayMessage {
  headers?: Record<string, string>
  body?: string
}

/** What a router answered. */
export interface GatewayAnswer {
  status: number
  text: string
}

/** Descriptions take some KiB. */
const MAX_ANSWER_BYTES = 64 * 1024
const MAX_HEADER_BYTES = 8 * 1024

/**
 * One small request to a router. Anything on the local network may claim to be one, so the answer is bounded in time and
 * size and redirects are not followed. Throws a {@link GatewayFault} that says what went wrong, or the reason of `signal`.
 */
export async function askGateway(
  url: URL,
  message: GatewayMessage,
  options: { signal: AbortSignal; answerMs: number },
): Promise<GatewayAnswer> {
  const { signal, answerMs } = options
  const late = AbortSignal.timeout(answerMs)
  try {
    const response = await send(url, message, AbortSignal.any([signal, late]))
    return { status: response.statusCode ?? 0, text: await readBounded(response) }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof GatewayFault) throw error
    if (late.aborted) throw new GatewayFault('no-answer', `it does not answer HTTP within ${answerMs / 1000} s`)
    throw new GatewayFault('no-answer', `asking it over HTTP failed (${reasonOf(error)})`)
  }
}

function send(url: URL, { headers, body }: GatewayMessage, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const outgoing = request(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...headers,
      connection: 'close',
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    },
    agent: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    signal,
  })
  outgoing.on('response', resolve)
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}

async function readBounded(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength
    // Leaving the loop closes the connection.
    if (sizeBytes > MAX_ANSWER_BYTES)
      throw new GatewayFault('bad-answer', `it answers with more than ${MAX_ANSWER_BYTES / 1024} KiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return String(code ?? message).slice(0, 60)
}

import { AxiomWithoutBatching } from '@axiomhq/js'
import { Agent, fetch as request, Response, type RequestInit } from 'undici'
import type { SendResult } from './event-queue.js'
import type { TelemetryEvent } from './events.js'

/** Sends batches to a data set. */
export interface AxiomClient {
  /** Never rejects. */
  send(batch: readonly TelemetryEvent[], signal: AbortSignal): Promise<SendResult>
  close(): Promise<void>
}

/** One request takes at most this long. */
const TIMEOUT_MS = 10_000

/** Stands for "did not work" towards the client library, which would wait and ask again on its own for real ones. */
const FAILED_STATUS = 599

/** A client of Axiom's ingest API. The token is in the request's header and nowhere else. */
export function createAxiomClient(options: { token: string; dataset: string; url: string }): AxiomClient {
  const agent = new Agent({ connections: 1, connect: { timeout: TIMEOUT_MS } })
  let signal: AbortSignal = AbortSignal.timeout(0)
  let result: SendResult = { kind: 'sent' }

  /** Remembers what came of it: the library only tells in words. */
  async function ask(url: string, init: RequestInit): Promise<Response> {
    const limits = [signal, AbortSignal.timeout(TIMEOUT_MS)]
    try {
      const response = await request(url, { ...init, signal: AbortSignal.any(limits), dispatcher: agent })
      result = resultOf(response.status)
      if (result.kind !== 'retry') return response
      await response.body?.cancel()
    } catch (error) {
      result = { kind: 'retry', reason: error instanceof Error ? reasonOf(error) : 'not reachable' }
    }
    return new Response(null, { status: FAILED_STATUS })
  }

  const client = new AxiomWithoutBatching({
    token: options.token,
    ...(options.url === '' ? {} : { url: options.url }),
    // undici's own fetch, so that its connections end with this client.
    fetch: ask as unknown as typeof fetch,
    onError: (error: Error) => {
      if (result.kind === 'sent') result = { kind: 'refused', reason: error.message.slice(0, 200) }
    },
  })

  return {
    async send(batch, given) {
      signal = given
      result = { kind: 'sent' }
      await client.ingest(options.dataset, [...batch])
      return result
    },
    close: () => agent.destroy(),
  }
}

function resultOf(status: number): SendResult {
  if (status < 300) return { kind: 'sent' }
  const reason = `Axiom answered ${status}`
  return { kind: status === 429 || status >= 500 ? 'retry' : 'refused', reason }
}

function reasonOf(error: Error): string {
  const { cause } = error
  return (cause instanceof Error ? cause.message : error.message).slice(0, 200)
}

import { Agent, request, type Dispatcher } from 'undici'
import { z } from 'zod'
import { readEntries, type Resolution } from './parse-source.js'
import type { NameLookup } from './resolve-dnsaddr.js'

const MAX_BODY_BYTES = 1024 * 1024
const MAX_HEAD_BYTES = 16 * 1024
const MAX_SHOWN_CHARS = 100

const AnswerSchema = z.object({ bootstraps: z.array(z.unknown()) })

/**
 * Asks an HTTP source until `signal` aborts. Redirects are not followed: undici does so only when it is told to, and a
 * source that moves its readers to wherever it likes is none. Nothing is unpacked, so that a small answer stays small.
 */
export async function fetchBootstraps(
  url: string,
  { lookup }: Pick<NameLookup, 'lookup'>,
  signal: AbortSignal,
): Promise<Resolution> {
  const agent = new Agent({ connections: 1, maxHeaderSize: MAX_HEAD_BYTES, connect: { lookup } })
  try {
    const headers = { accept: 'application/json', 'accept-encoding': 'identity' }
    const answer = await request(url, { dispatcher: agent, signal, headers })
    const reason = refusal(answer)
    if (reason !== undefined) return { ok: false, reason }
    const text = await readBounded(answer.body)
    if (text === undefined) return { ok: false, reason: `its answer is larger than ${MAX_BODY_BYTES} bytes` }
    return fromAnswer(text)
  } finally {
    // Whatever is still under way is cut; nobody waits for how it ends.
    agent.destroy().catch(() => undefined)
  }
}

/** Why an answer is not read; undefined when it is. */
function refusal({ statusCode, headers }: Dispatcher.ResponseData): string | undefined {
  const { location } = headers
  if (statusCode >= 300 && statusCode < 400 && typeof location === 'string') {
    return `it redirects to ${location.slice(0, MAX_SHOWN_CHARS)}, which is not followed: give the address that answers`
  }
  if (statusCode !== 200) return `it answered with status ${statusCode}`
  const encoding = headers['content-encoding']
  if (encoding === undefined || encoding === 'identity') return undefined
  return `its answer is packed (${String(encoding).slice(0, MAX_SHOWN_CHARS)}), although that was not asked for`
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Reads `{"bootstraps":["/ip4/…", …]}`. */
export function fromAnswer(text: string): Resolution {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { ok: false, reason: 'its answer is not JSON' }
  }
  const answer = AnswerSchema.safeParse(json)
  if (!answer.success) return { ok: false, reason: 'its answer has no list "bootstraps"' }
  return readEntries(answer.data.bootstraps)
}

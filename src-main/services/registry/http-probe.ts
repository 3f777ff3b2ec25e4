import type { IncomingHttpHeaders } from 'node:http'
import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { Agent, type Dispatcher, request } from 'undici'
import { originOf } from './target.js'

/** What became of one small GET. */
export type ProbeAnswer =
  | { kind: 'answer'; status: number; body: string; headers: IncomingHttpHeaders }
  /** Nothing listens there. */
  | { kind: 'refused' }
  /** Something listens, but did not answer in time. */
  | { kind: 'timeout' }
  /** It answers, and with more than was to be read. */
  | { kind: 'too-long' }
  /** The connection broke, or what came was not HTTP. */
  | { kind: 'broken'; reason: string }

/** One small GET: where, how long it may take and how much may come. */
interface ProbeRequest {
  host: string
  port: number
  path: string
  apiKey: string | undefined
  timeoutMs: number
  maxBytes: number
  signal: AbortSignal
  /** Sent besides the usual ones. */
  headers?: Readonly<Record<string, string>>
}

/** Asks local servers small questions; redirects are never followed and no connection is kept. */
export interface HttpProbe {
  get(probe: ProbeRequest): Promise<ProbeAnswer>
  close(): Promise<void>
}

/** A probe with connections of its own; `connectTimeoutMs` is 2 s by default. */
export function createHttpProbe(options: { connectTimeoutMs?: number } = {}): HttpProbe {
  const agent = new Agent({
    connect: { timeout: options.connectTimeoutMs ?? 2_000 },
    pipelining: 0,
    connections: null,
    keepAliveTimeout: 1,
  })
  return {
    get: (probe) => get(agent, probe),
    close: () => agent.destroy(),
  }
}

async function get(dispatcher: Agent, probe: ProbeRequest): Promise<ProbeAnswer> {
  const deadline = AbortSignal.timeout(probe.timeoutMs)
  try {
    const response = await request(originOf(probe) + probe.path, {
      dispatcher,
      method: 'GET',
      reset: true,
      signal: AbortSignal.any([deadline, probe.signal]),
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...probe.headers,
        ...(probe.apiKey === undefined ? {} : { authorization: `Bearer ${probe.apiKey}` }),
      },
    })
    const body = await readAtMost(unpacked(response), probe.maxBytes)
    if (body === undefined) return { kind: 'too-long' }
    return { kind: 'answer', status: response.statusCode, body, headers: response.headers }
  } catch (error) {
    if (deadline.aborted) return { kind: 'timeout' }
    const codes = codesOf(error)
    if (codes.includes('ECONNREFUSED')) return { kind: 'refused' }
    if (codes.some((code) => code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')) return { kind: 'timeout' }
    return { kind: 'broken', reason: codes[0] ?? (error instanceof Error ? error.message : String(error)) }
  }
}

/** Some servers and proxies compress whatever was asked for (RFC 9110 §12.5.3 lets them). */
const UNPACKERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

function unpacked({ body, headers }: Dispatcher.ResponseData): AsyncIterable<unknown> {
  const coding = String(headers['content-encoding'] ?? '')
    .trim()
    .toLowerCase()
  const create = Object.hasOwn(UNPACKERS, coding) ? UNPACKERS[coding] : undefined
  if (create === undefined) return body
  const unpacker = create()
  body.on('error', (error) => unpacker.destroy(error))
  unpacker.on('close', () => body.destroy())
  return body.pipe(unpacker)
}

/** The body as text, or undefined when it is longer than allowed; reading stops there. */
async function readAtMost(body: AsyncIterable<unknown>, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The codes of an error and of those inside it (`localhost` fails once per address family). */
function codesOf(error: unknown): string[] {
  if (error instanceof AggregateError) return [error, ...(error.errors as unknown[])].flatMap(ownCode)
  return ownCode(error)
}

function ownCode(error: unknown): string[] {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? [error.code] : []
}

/** The value of a JSON text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
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

/**
 * A probe with connections of its own; `connectTimeoutMs` is 2 s by default. By Node's own client: every node asks at its
 * start, and undici takes longer to load than all the answers.
 */
export function createHttpProbe({ connectTimeoutMs = 2_000 }: { connectTimeoutMs?: number } = {}): HttpProbe {
  const asking = new Set<ClientRequest>()
  let isClosed = false
  return {
    async get(probe) {
      if (isClosed) return { kind: 'broken', reason: 'the probe is closed' }
      const deadline = AbortSignal.timeout(probe.timeoutMs)
      try {
        const answer = await send(probe, {
          asking,
          connectTimeoutMs,
          signal: AbortSignal.any([deadline, probe.signal]),
        })
        const body = await readAtMost(unpacked(answer), probe.maxBytes)
        if (body === undefined) return { kind: 'too-long' }
        return { kind: 'answer', status: answer.statusCode ?? 0, body, headers: answer.headers }
      } catch (error) {
        return failure(error, deadline)
      }
    },
    close() {
      isClosed = true
      for (const one of asking) one.destroy()
      return Promise.resolve()
    },
  }
}

/** Resolves with the head of the answer; its body follows. */
function send(
  probe: ProbeRequest,
  how: { asking: Set<ClientRequest>; connectTimeoutMs: number; signal: AbortSignal },
): Promise<IncomingMessage> {
  const { asking, connectTimeoutMs, signal } = how
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    ...probe.headers,
    ...(probe.apiKey === undefined ? {} : { authorization: `Bearer ${probe.apiKey}` }),
  }
  return new Promise((resolve, reject) => {
    const sent = request(originOf(probe) + probe.path, { agent: false, signal, headers }, resolve)
    asking.add(sent)
    const connecting = setTimeout(() => {
      sent.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
    }, connectTimeoutMs)
    sent.once('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)))
    sent.on('error', reject)
    sent.once('close', () => {
      clearTimeout(connecting)
      asking.delete(sent)
      // Such as after a 101, which nobody asked for.
      reject(new Error('the connection was closed'))
    })
    sent.end()
  })
}

function failure(error: unknown, deadline: AbortSignal): ProbeAnswer {
  if (deadline.aborted) return { kind: 'timeout' }
  const codes = codesOf(error)
  if (codes.includes('ECONNREFUSED')) return { kind: 'refused' }
  if (codes.includes('ETIMEDOUT')) return { kind: 'timeout' }
  return { kind: 'broken', reason: codes[0] ?? (error instanceof Error ? error.message : String(error)) }
}

/** Some servers and proxies compress whatever was asked for (RFC 9110 §12.5.3 lets them). */
const UNPACKERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

function unpacked(body: IncomingMessage): AsyncIterable<unknown> {
  const coding = (body.headers['content-encoding'] ?? '').trim().toLowerCase()
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

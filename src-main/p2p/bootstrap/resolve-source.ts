import { Resolver } from 'node:dns/promises'
import { Agent, request } from 'undici'
import { z } from 'zod'
import { dialableMultiaddr, type BootstrapSource } from './parse-source.js'

/** What asking a source came to; `skipped` counts entries that are no addresses. */
export type Resolution = { ok: true; addresses: string[]; skipped: number } | { ok: false; reason: string }

const SOURCE_TIMEOUT_MS = 5_000
const MAX_BODY_BYTES = 1024 * 1024
const MAX_ADDRESSES = 500
const MAX_ADDRESS_CHARS = 512
const MAX_DNSADDR_DEPTH = 3
const MAX_DNSADDR_QUERIES = 16

const AnswerSchema = z.object({ bootstraps: z.array(z.unknown()) })

/** Asks a source for addresses; takes at most 5 s and never throws. */
export async function resolveSource(source: BootstrapSource, signal: AbortSignal): Promise<Resolution> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(SOURCE_TIMEOUT_MS)])
  try {
    switch (source.kind) {
      case 'multiaddr':
        return { ok: true, addresses: [source.address], skipped: 0 }
      case 'dnsaddr':
        return await resolveDnsaddr(source.address, limited)
      case 'http':
        return await fetchBootstraps(source.url, limited)
    }
  } catch (error) {
    return { ok: false, reason: reasonOf(error, limited) }
  }
}

/** Redirects are not followed: undici does so only when it is told to. */
async function fetchBootstraps(url: string, signal: AbortSignal): Promise<Resolution> {
  const agent = new Agent({ connections: 1 })
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      signal,
      headers: { accept: 'application/json' },
    })
    if (statusCode !== 200) return { ok: false, reason: `it answered with status ${statusCode}` }
    const text = await readBounded(body)
    if (text === undefined) return { ok: false, reason: `its answer is larger than ${MAX_BODY_BYTES} bytes` }
    return fromAnswer(text)
  } finally {
    await agent.destroy()
  }
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
  return fromEntries(answer.data.bootstraps)
}

function fromEntries(entries: readonly unknown[]): Resolution {
  const addresses = new Set<string>()
  for (const entry of entries) {
    if (addresses.size >= MAX_ADDRESSES) break
    if (typeof entry !== 'string' || entry.length > MAX_ADDRESS_CHARS) continue
    const address = dialableMultiaddr(entry)
    if (address !== undefined) addresses.add(address)
  }
  return { ok: true, addresses: [...addresses], skipped: entries.length - addresses.size }
}

/** Follows TXT records `dnsaddr=…` of `_dnsaddr.<host>`; `/dnsaddr/host/p2p/ID` keeps that peer's addresses only. */
async function resolveDnsaddr(address: string, signal: AbortSignal): Promise<Resolution> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  const cancel = (): void => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  const found: string[] = []
  let queries = 0
  const follow = async (next: string, depth: number): Promise<void> => {
    signal.throwIfAborted()
    const [, , host = '', ...rest] = next.split('/')
    const suffix = rest.length === 0 ? '' : `/${rest.join('/')}`
    queries += 1
    for (const record of await resolver.resolveTxt(`_dnsaddr.${host}`)) {
      const entry = dnsaddrEntry(record)
      if (!entry?.endsWith(suffix)) continue
      if (!entry.startsWith('/dnsaddr/')) found.push(entry)
      else if (depth < MAX_DNSADDR_DEPTH && queries < MAX_DNSADDR_QUERIES) await follow(entry, depth + 1)
    }
  }
  try {
    await follow(address, 1)
    return fromEntries(found)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function dnsaddrEntry(record: readonly string[]): string | undefined {
  const text = record.join('')
  return text.startsWith('dnsaddr=') ? text.slice('dnsaddr='.length) : undefined
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return `it did not answer within ${SOURCE_TIMEOUT_MS / 1000} seconds`
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message
  return error.message
}

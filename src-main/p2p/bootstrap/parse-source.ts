import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { knownNetwork } from '../../config/index.js'

/** A bootstrap setting as it was written: values still to be split. */
export interface RawBootstrapSetting {
  setting: string
  values: readonly string[]
}

/** Where addresses of peers come from. `text` is what the person wrote. */
export type BootstrapSource =
  | { kind: 'http'; setting: string; text: string; url: string }
  | { kind: 'dnsaddr'; setting: string; text: string; address: string }
  | { kind: 'multiaddr'; setting: string; text: string; address: string }

/** An entry that is none of the forms. */
interface BootstrapProblem {
  setting: string
  text: string
  reason: string
}

export interface ParsedBootstrap {
  sources: BootstrapSource[]
  problems: BootstrapProblem[]
}

const MAX_SOURCES = 256
const MAX_ENTRY_CHARS = 2048
const SETTINGS = [
  'bootstrap.sources',
  'bootstrap.source',
  'bootstrap.static',
  'bootstrap.addrs',
  'bootstrap.addr',
  'bootstrap.joined',
] as const

/** The bootstrap settings in the order their sources are asked; those of a network that is joined by name come last. */
export function bootstrapSettings(
  settings: Readonly<Record<(typeof SETTINGS)[number], readonly string[]>> & {
    readonly network: string
    readonly 'go-network': 'off' | 'use' | 'share'
  },
): RawBootstrapSetting[] {
  const given = SETTINGS.map((setting) => ({ setting, values: settings[setting] }))
  const network = knownNetwork(settings.network)
  // Nodes of the Go program are of no use to a node that is to leave them alone.
  const isUsed = network?.kind === 'ocf' || settings['go-network'] !== 'off'
  return network !== undefined && isUsed ? [...given, { setting: 'network', values: network.sources }] : given
}

/**
 * Reads bootstrap settings: each value is one entry, a JSON array of entries, or entries separated by comma, semicolon
 * or white space; an entry is an HTTP(S) URL, `dnsaddr://host`, `/dnsaddr/host…` or a multiaddr. Duplicates are dropped
 * in order. What cannot be understood becomes a problem and the rest counts.
 */
export function parseBootstrapSettings(raw: readonly RawBootstrapSetting[]): ParsedBootstrap {
  const sources = new Map<string, BootstrapSource>()
  const problems = new Map<string, BootstrapProblem>()
  const tell = (found: BootstrapProblem): void => {
    if (problems.size < MAX_SOURCES) problems.set(`${found.setting} ${found.text}`, found)
  }
  for (const { setting, values } of raw) {
    for (const entry of values.flatMap(splitEntries)) {
      const parsed = parseEntry(setting, entry)
      if ('reason' in parsed) tell(parsed)
      else if (sources.has(identityOf(parsed))) continue
      else if (sources.size < MAX_SOURCES) sources.set(identityOf(parsed), parsed)
      else tell(problem(setting, entry, `only the first ${MAX_SOURCES} sources are used`))
    }
  }
  return { sources: [...sources.values()], problems: [...problems.values()] }
}

/** The entries of one value; anything in a JSON array that is not a text is kept as its JSON, to be reported. */
export function splitEntries(value: string): string[] {
  const text = value.trim()
  if (text.startsWith('[')) {
    const list = parseJson(text)
    if (Array.isArray(list)) {
      return list.flatMap((item: unknown) => (typeof item === 'string' ? splitEntries(item) : [JSON.stringify(item)]))
    }
  }
  return text.split(/[\s,;]+/).filter((entry) => entry !== '')
}

function parseEntry(setting: string, text: string): BootstrapSource | BootstrapProblem {
  if (text.length > MAX_ENTRY_CHARS) return problem(setting, text, `it is longer than ${MAX_ENTRY_CHARS} characters`)
  if (/^https?:\/\//i.test(text)) {
    if (!URL.canParse(text)) return problem(setting, text, 'it is not a URL')
    const { href, port } = new URL(text)
    if (port === '0') return problem(setting, text, 'nobody listens on port 0')
    return { kind: 'http', setting, text, url: href }
  }
  if (/^dnsaddr:\/\//i.test(text)) return dnsaddr(setting, text, `/dnsaddr/${text.slice('dnsaddr://'.length)}`)
  if (text.startsWith('/dnsaddr/')) return dnsaddr(setting, text, text)
  if (!text.startsWith('/')) {
    return problem(setting, text, 'it is neither an http(s) URL, a dnsaddr://… nor a multiaddr such as /ip4/…')
  }
  const found = readMultiaddr(text)
  return 'reason' in found
    ? problem(setting, text, found.reason)
    : { kind: 'multiaddr', setting, text, address: found.address }
}

/**
 * The multiaddr in its usual form; `undefined` when it is none, or none that leads anywhere: it takes a host that is not
 * "any", a port that is not 0, and peer ids that are some. A zone (`/ip6zone/eth0/…`) names an interface of one machine
 * and means nothing on another.
 */
export function dialableMultiaddr(text: string): string | undefined {
  const found = readMultiaddr(text)
  return 'address' in found ? found.address : undefined
}

function readMultiaddr(text: string): { address: string } | { reason: string } {
  try {
    const address = multiaddr(text)
    const parts = address.getComponents()
    const valuesOf = (...names: string[]): string[] =>
      parts.flatMap(({ name, value = '' }) => (names.includes(name) ? [value] : []))
    const hosts = valuesOf('ip4', 'ip6', 'dns', 'dns4', 'dns6')
    const ports = valuesOf('tcp', 'udp')
    if (valuesOf('ip6zone').length > 0) return { reason: 'an address with a zone means nothing to other machines' }
    if (hosts.length === 0 || ports.length === 0) return { reason: 'it is not a multiaddr that can be dialled' }
    if (hosts.some((host) => host === '0.0.0.0' || host === '::'))
      return { reason: `${hosts[0] ?? ''} is no one's address` }
    if (ports.includes('0')) return { reason: 'nobody listens on port 0' }
    for (const peerId of valuesOf('p2p')) peerIdFromString(peerId)
    return { address: address.toString() }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { reason: `it is not a multiaddr that can be dialled (${why.slice(0, 80)})` }
  }
}

function dnsaddr(setting: string, text: string, address: string): BootstrapSource | BootstrapProblem {
  try {
    return { kind: 'dnsaddr', setting, text, address: multiaddr(address.replace(/\/+$/, '')).toString() }
  } catch {
    return problem(setting, text, 'it is not a dnsaddr')
  }
}

function identityOf(source: BootstrapSource): string {
  return source.kind === 'http' ? source.url : source.address
}

function problem(setting: string, text: string, reason: string): BootstrapProblem {
  return { setting, text: text.slice(0, 200), reason }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What asking a source came to. */
export type Resolution =
  | {
      ok: true
      addresses: string[]
      /** Entries that are no addresses. */
      skipped: number
      /** Entries that were not looked at, because there were too many. */
      beyond: number
    }
  | { ok: false; reason: string }

const MAX_ADDRESSES = 500
/** Far more than anybody needs, and few enough to be read without anyone noticing. */
const MAX_ENTRIES = 2_000
const MAX_ADDRESS_CHARS = 512
/** An address by way of a relay, both with the hashes of two certificates, has 19. */
const MAX_ADDRESS_PARTS = 24

/** The addresses in a list from outside, each once; an empty one is a failure. */
export function readEntries(entries: readonly unknown[]): Resolution {
  const addresses = new Set<string>()
  let skipped = 0
  let read = 0
  for (const entry of entries) {
    if (read >= MAX_ENTRIES || addresses.size >= MAX_ADDRESSES) break
    read += 1
    const address = typeof entry === 'string' && isShort(entry) ? dialableMultiaddr(entry) : undefined
    if (address === undefined) skipped += 1
    else addresses.add(address)
  }
  if (entries.length === 0) return { ok: false, reason: 'it tells no address of a peer' }
  if (addresses.size === 0) return { ok: false, reason: `none of the first ${read} entries it tells is an address` }
  return { ok: true, addresses: [...addresses], skipped, beyond: entries.length - read }
}

function isShort(address: string): boolean {
  return (
    address.length <= MAX_ADDRESS_CHARS && address.split('/', MAX_ADDRESS_PARTS + 2).length <= MAX_ADDRESS_PARTS + 1
  )
}

/** What is odd about the entries of a source that answered; undefined when nothing is. */
export function oddEntries({ skipped, beyond }: Extract<Resolution, { ok: true }>): string | undefined {
  const notes = [
    ...(skipped === 0 ? [] : [skipped === 1 ? '1 entry is no address' : `${skipped} entries are no addresses`]),
    ...(beyond === 0 ? [] : [`${beyond} more entries were not read`]),
  ]
  return notes.length === 0 ? undefined : notes.join(', ')
}

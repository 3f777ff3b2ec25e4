import { isIP, isIPv6 } from 'node:net'
import { SETTINGS } from '../config/index.js'

/** What a text that is to be joined was taken for. Of an address, `tries` are the sources it may stand for. */
export type Recognised =
  | { kind: 'invite' | 'network-key' | 'network' }
  | { kind: 'address'; tries: readonly string[]; isWord: boolean }
  | { kind: 'unknown'; sentence: string }

const BOOTSTRAPS = '/v1/dnt/bootstraps'

const PEER_ID = /^(?:12D3KooW|Qm|16Uiu2HA)[1-9A-HJ-NP-Za-km-z]{20,80}$/
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_-]{1,63})*\.?$/i

/** Each kind of what can be joined, in the order they are tried; `isNetwork` knows the names of networks. */
const RECOGNISERS: readonly ((text: string, isNetwork: (name: string) => boolean) => Recognised | undefined)[] = [
  (text) => (/ocf[1-9][\w-]|ocf:\/\/join/i.test(text) ? { kind: 'invite' } : undefined),
  (text) => (/^ocf-net1/i.test(text) ? { kind: 'network-key' } : undefined),
  (text, isNetwork) => (isNetwork(text) ? { kind: 'network' } : undefined),
  (text) => (/^(?:\/|dnsaddr:\/\/)\S+$/i.test(text) ? address(text) : undefined),
  (text) => (/^https?:\/\/\S+$/i.test(text) && URL.canParse(text) ? address(listOf(new URL(text))) : undefined),
  byHost,
]

/** What can be joined, as a person may give it. */
const EXAMPLES =
  'an invite (ocf1…), an address (/ip4/203.0.113.7/tcp/43905), a host or host:port, the URL of a node, or the name or the key (ocf-net1…) of a network'

/** Finds out what `given` is. Never throws. */
export function recognise(given: string, isNetwork: (name: string) => boolean): Recognised {
  const text = given.trim()
  for (const recogniser of RECOGNISERS) {
    const found = recogniser(text, isNetwork)
    if (found !== undefined) return found
  }
  return { kind: 'unknown', sentence: whatItLacks(text) }
}

function whatItLacks(text: string): string {
  const hint = PEER_ID.test(text)
    ? 'This is a peer id, which does not say where its node is. Ask its owner for an invite or an address.'
    : text === ''
      ? 'There is nothing to join.'
      : /^(?:ocf|ocf:\/\/.*)$/i.test(text)
        ? 'This looks like the beginning of an invite. Copy the whole line.'
        : 'This is nothing that can be joined.'
  return `${hint} It takes ${EXAMPLES}.`
}

const address = (...tries: string[]): Recognised => ({ kind: 'address', tries, isWord: false })

/** A URL of a gateway without a path, or with that of its API, stands for its list of peers. */
function listOf(url: URL): string {
  if (/^\/(?:v1\/?)?$/.test(url.pathname) && url.search === '') return new URL(BOOTSTRAPS, url).href
  return url.href
}

/** `host`, `host:port`, `[ip6]:port` and bare IP addresses. */
function byHost(text: string): Recognised | undefined {
  const [, bracketed, named, port] = /^(?:\[([^\]]+)\]|([^:\s/]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = isIPv6(text) ? text : (bracketed ?? named ?? '')
  const isAddress = isIP(host) !== 0
  if (!isAddress && (bracketed !== undefined || !HOST_NAME.test(host) || PEER_ID.test(host))) return undefined
  if (!isAddress && /^[\d.]+$/.test(host)) return undefined
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return undefined
  const node = isAddress ? `/ip${isIP(host)}/${host}` : `/dns/${host}`
  const at = (number: number): string => `http://${isIPv6(host) ? `[${host}]` : host}:${number}${BOOTSTRAPS}`
  const tries =
    port === undefined
      ? [`${node}/tcp/${SETTINGS.tcpport.default}`, at(SETTINGS.port.default)]
      : [`${node}/tcp/${port}`, at(Number(port)), `${node}/tcp/${port}/ws`]
  return { kind: 'address', tries, isWord: !isAddress && port === undefined && !host.includes('.') }
}

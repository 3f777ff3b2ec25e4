import { GatewayFault } from './gateway-problem.js'

/**
 * The text inside the first element of that name, whatever its namespace; undefined where there is none. UPnP's answers
 * are flat, so no parser is needed, and this one takes time in proportion to the text, whoever wrote it.
 */
export function elementText(xml: string, name: string): string | undefined {
  const match = new RegExp(`<(?:[\\w-]{1,32}:)?${name}(?:\\s[^<>]*)?>([^<]*)</`, 'i').exec(xml)
  return match?.[1] === undefined ? undefined : unescapeXml(match[1].trim())
}

/** The insides of all elements of that name, at most `limit`, each cut off after 4 KiB. */
function elements(xml: string, name: string, limit: number): string[] {
  const parts = xml.split(new RegExp(`<(?:[\\w-]{1,32}:)?${name}>`, 'i'), limit + 1)
  return parts.slice(1).map((part) => part.slice(0, 4096))
}

/** Text as it may stand between two tags. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&]/g, (char) => ({ '<': '&lt;', '>': '&gt;' })[char] ?? '&amp;')
}

function unescapeXml(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name] ?? '')
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

/** A service of a router that opens ports. */
export interface WanService {
  type: string
  controlUrl: URL
}

/** In the order they are tried: the newest, and that of dial-up lines last. */
const TYPES = ['WANIPConnection:2', 'WANIPConnection:1', 'WANPPPConnection:1'].map(
  (name) => `urn:schemas-upnp-org:service:${name}`,
)
const MAX_SERVICES = 32
const MAX_WAN_SERVICES = 4

/**
 * The services that open ports, out of a device description. A description may name any URL: only those on the host it
 * came from are taken, lest a machine of the local network has this one call another. Throws a {@link GatewayFault}
 * where there is none.
 */
export function wanServices(description: string, location: URL): WanService[] {
  const base = baseUrl(description, location)
  const found: WanService[] = []
  let elsewhere: string | undefined
  for (const service of elements(description, 'service', MAX_SERVICES)) {
    const type = elementText(service, 'serviceType') ?? ''
    const path = elementText(service, 'controlURL') ?? ''
    if (!TYPES.includes(type) || path === '' || !URL.canParse(path, base.href)) continue
    const controlUrl = new URL(path, base)
    if (controlUrl.protocol === 'http:' && controlUrl.hostname === location.hostname) found.push({ type, controlUrl })
    else elsewhere = controlUrl.host
  }
  if (found.length > 0)
    return found.toSorted((a, b) => TYPES.indexOf(a.type) - TYPES.indexOf(b.type)).slice(0, MAX_WAN_SERVICES)
  if (elsewhere !== undefined)
    throw new GatewayFault('bad-answer', `its description points to another host, ${elsewhere.slice(0, 60)}`)
  if (!/<(?:[\w-]{1,32}:)?device[\s>]/i.test(description))
    throw new GatewayFault('bad-answer', 'what it sends as its description is none')
  throw new GatewayFault('bad-answer', 'its description has no service that opens ports')
}

/** Old routers name a base for relative URLs, sometimes a wrong one. */
function baseUrl(description: string, location: URL): URL {
  const text = elementText(description, 'URLBase') ?? ''
  if (!URL.canParse(text)) return location
  const base = new URL(text)
  return base.hostname === location.hostname ? base : location
}

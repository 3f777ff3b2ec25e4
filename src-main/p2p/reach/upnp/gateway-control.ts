import { randomInt } from 'node:crypto'
import { elementText, escapeXml, wanServices, type WanService } from './gateway-description.js'
import { askGateway } from './gateway-http.js'
import { externalAddressProblem, GatewayFault } from './gateway-problem.js'

/** How often routers are asked, and how long they may take, in milliseconds. */
export interface GatewayTimes {
  /** Between two looks at a router's external address. */
  checkMs: number
  /** The first pause after a router that did not answer in time; each further one is twice as long, up to `checkMs`. */
  retryMs: number
  /** Between two searches for routers. */
  searchMs: number
  /** After this an open port is asked for again: leases last an hour, and a router that starts anew forgets all. */
  renewMs: number
  /** How long a router may take to answer. */
  answerMs: number
  /** What closing the ports may take when the node stops. */
  closeMs: number
}

/** A port to be opened. */
export interface PortWish {
  protocol: 'tcp' | 'udp'
  innerHost: string
  innerPort: number
  outerPort: number
  /** Another outer port will do where that one is taken. */
  anyOuterPort: boolean
}

/** A port that is open, so the router says. */
export interface OpenPort extends PortWish {
  /** Seconds after which the router forgets it; 0: never. */
  leaseSeconds: number
}

const LEASE_SECONDS = 3_600
const MAX_PORT_ATTEMPTS = 3
const PORT_TAKEN = [718, 729]
/** 725 says that only permanent mappings are to be had; old routers say "invalid arguments" or just "failed". */
const NO_LEASES = [725, 402, 501]

const MEANINGS: Record<number, string> = {
  402: 'invalid arguments',
  501: 'it failed',
  606: 'programs are not allowed to open ports',
  718: 'another machine has that port',
  724: 'the outer port has to be the inner one',
  725: 'only permanent mappings are to be had',
  728: 'it has no room for more',
  729: 'another of its rules has that port',
}

/** Asks the router at `location` what it can do. Throws a {@link GatewayFault} where it cannot open ports. */
export async function describeGateway(
  location: URL,
  options: { signal: AbortSignal } & Pick<GatewayTimes, 'answerMs'>,
): Promise<GatewayControl> {
  const { status, text } = await askGateway(location, {}, options)
  if (status !== 200)
    throw new GatewayFault('bad-answer', `it answers with status ${status} instead of its description`)
  return new GatewayControl(wanServices(text, location), options)
}

/** The calls of a router that says it opens ports. All throw a {@link GatewayFault}, or the reason of the signal. */
export class GatewayControl {
  readonly #services: readonly WanService[]
  readonly #answerMs: number
  #inUse: WanService | undefined
  #leaseSeconds = LEASE_SECONDS

  constructor(services: readonly WanService[], { answerMs }: Pick<GatewayTimes, 'answerMs'>) {
    this.#services = services
    this.#answerMs = answerMs
    this.#inUse = services[0]
  }

  /** As the router gives it, which may be anything up to 64 KiB. */
  async externalAddress(signal: AbortSignal): Promise<string> {
    // A router may describe several lines of which one is connected.
    let given: string | undefined
    let fault: unknown
    for (const service of this.#services) {
      try {
        const text = await this.#call(service, 'GetExternalIPAddress', {}, signal)
        const address = elementText(text, 'NewExternalIPAddress') ?? ''
        if (given === undefined || externalAddressProblem(address) === undefined) {
          given = address
          this.#inUse = service
        }
        if (externalAddressProblem(address) === undefined) break
      } catch (error) {
        signal.throwIfAborted()
        fault ??= error
        if (error instanceof GatewayFault && error.problem.kind === 'no-answer') break
      }
    }
    if (given === undefined) throw fault
    return given
  }

  /** Opens a port, or renews its lease. */
  async open(wish: PortWish, signal: AbortSignal): Promise<OpenPort> {
    for (let attempt = 1; ; attempt += 1) {
      const outerPort = attempt === 1 ? wish.outerPort : randomInt(20_000, 60_000)
      try {
        return await this.#addWithLease({ ...wish, outerPort }, signal)
      } catch (error) {
        if (!wish.anyOuterPort || attempt >= MAX_PORT_ATTEMPTS || !isRefusal(error, PORT_TAKEN)) throw error
      }
    }
  }

  /** Closes an outer port. */
  async close({ protocol, outerPort }: Pick<OpenPort, 'protocol' | 'outerPort'>, signal: AbortSignal): Promise<void> {
    const args = { NewRemoteHost: '', NewExternalPort: outerPort, NewProtocol: protocol.toUpperCase() }
    await this.#call(this.#inUse, 'DeletePortMapping', args, signal)
  }

  /** With a lease where the router knows leases, else for good. */
  async #addWithLease(wish: PortWish, signal: AbortSignal): Promise<OpenPort> {
    try {
      return await this.#add(wish, this.#leaseSeconds, signal)
    } catch (error) {
      if (this.#leaseSeconds === 0 || !isRefusal(error, NO_LEASES)) throw error
    }
    const opened = await this.#add(wish, 0, signal)
    this.#leaseSeconds = 0
    return opened
  }

  async #add(wish: PortWish, seconds: number, signal: AbortSignal): Promise<OpenPort> {
    const args = {
      NewRemoteHost: '',
      NewExternalPort: wish.outerPort,
      NewProtocol: wish.protocol.toUpperCase(),
      NewInternalPort: wish.innerPort,
      NewInternalClient: wish.innerHost,
      NewEnabled: 1,
      NewPortMappingDescription: 'ocf',
      NewLeaseDuration: seconds,
    }
    await this.#call(this.#inUse, 'AddPortMapping', args, signal)
    return { ...wish, leaseSeconds: seconds }
  }

  async #call(
    service: WanService | undefined,
    action: string,
    args: Record<string, string | number>,
    signal: AbortSignal,
  ): Promise<string> {
    if (service === undefined) throw new GatewayFault('bad-answer', 'its description has no service that opens ports')
    const { type, controlUrl } = service
    const headers = { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${type}#${action}"` }
    const message = { headers, body: envelope(type, action, args) }
    const { status, text } = await askGateway(controlUrl, message, { signal, answerMs: this.#answerMs })
    const code = Number(elementText(text, 'errorCode') ?? Number.NaN)
    if (Number.isInteger(code)) throw new GatewayFault('refused', meaningOf(code, text), code)
    if (status === 200 && text.includes(`${action}Response`)) return text
    throw new GatewayFault('bad-answer', `it answers ${action} with status ${status} and no UPnP`)
  }
}

function envelope(type: string, action: string, args: Record<string, string | number>): string {
  const inner = Object.entries(args).map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
  return (
    '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action} xmlns:u="${type}">${inner.join('')}</u:${action}></s:Body></s:Envelope>\r\n`
  )
}

function meaningOf(code: number, answer: string): string {
  const meaning =
    MEANINGS[code] ?? (elementText(answer, 'errorDescription') ?? '').replace(/[^\x20-\x7e]/g, '').slice(0, 60)
  return meaning === '' ? `error ${code}` : `error ${code}: ${meaning}`
}

const isRefusal = (error: unknown, codes: readonly number[]): boolean =>
  error instanceof GatewayFault && error.code !== undefined && codes.includes(error.code)

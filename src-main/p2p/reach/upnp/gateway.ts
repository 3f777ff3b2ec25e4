import { randomInt } from 'node:crypto'
import { externalAddressProblem } from './external-address.js'
import { GatewayFault } from './gateway-fault.js'
import { askGateway } from './gateway-http.js'
import { elementText, escapeXml } from './gateway-xml.js'
import { wanServices, type WanService } from './wan-services.js'

/** A router that says it opens ports. All methods throw a {@link GatewayFault}, or the reason of the signal. */
export interface Gateway {
  /** As it tells it, which may be anything up to 64 KiB. */
  externalAddress(signal: AbortSignal): Promise<string>
  /** Opens a port, or renews its lease. */
  open(wish: PortWish, signal: AbortSignal): Promise<OpenPort>
  close(port: Pick<OpenPort, 'protocol' | 'outerPort'>, signal: AbortSignal): Promise<void>
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
const MAX_PORT_TRIES = 3
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
  options: { signal: AbortSignal; answerMs?: number },
): Promise<Gateway> {
  const { status, text } = await askGateway(location, {}, options)
  if (status !== 200)
    throw new GatewayFault('bad-answer', `it answers with status ${status} instead of its description`)
  return createGateway(wanServices(text, location), options)
}

function createGateway(services: WanService[], { answerMs }: { answerMs?: number }): Gateway {
  let inUse = services[0]
  let leaseSeconds = LEASE_SECONDS

  async function call(
    service: WanService | undefined,
    action: string,
    args: Record<string, string | number>,
    signal: AbortSignal,
  ): Promise<string> {
    if (service === undefined) throw new GatewayFault('bad-answer', 'its description has no service that opens ports')
    const { type, controlUrl } = service
    const { status, text } = await askGateway(
      controlUrl,
      { headers: { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${type}#${action}"` }, body: envelope() },
      { signal, ...(answerMs === undefined ? {} : { answerMs }) },
    )
    const code = Number(elementText(text, 'errorCode') ?? Number.NaN)
    if (Number.isInteger(code)) throw new GatewayFault('refused', meaningOf(code, text), code)
    if (status === 200 && text.includes(`${action}Response`)) return text
    throw new GatewayFault('bad-answer', `it answers ${action} with status ${status} and no UPnP`)

    function envelope(): string {
      const inner = Object.entries(args).map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
      return (
        '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
        `<u:${action} xmlns:u="${type}">${inner.join('')}</u:${action}></s:Body></s:Envelope>\r\n`
      )
    }
  }

  async function add(wish: PortWish, seconds: number, signal: AbortSignal): Promise<OpenPort> {
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
    await call(inUse, 'AddPortMapping', args, signal)
    return { ...wish, leaseSeconds: seconds }
  }

  /** With a lease where the router knows leases, else for good. */
  async function addWithLease(wish: PortWish, signal: AbortSignal): Promise<OpenPort> {
    try {
      return await add(wish, leaseSeconds, signal)
    } catch (error) {
      if (leaseSeconds === 0 || !isRefusal(error, NO_LEASES)) throw error
    }
    const opened = await add(wish, 0, signal)
    leaseSeconds = 0
    return opened
  }

  return {
    async externalAddress(signal) {
      // A router may describe several lines of which one is connected.
      let told: string | undefined
      let fault: unknown
      for (const service of services) {
        try {
          const text = await call(service, 'GetExternalIPAddress', {}, signal)
          const address = elementText(text, 'NewExternalIPAddress') ?? ''
          if (told === undefined || externalAddressProblem(address) === undefined) {
            told = address
            inUse = service
          }
          if (externalAddressProblem(address) === undefined) break
        } catch (error) {
          signal.throwIfAborted()
          fault ??= error
          if (error instanceof GatewayFault && error.problem.kind === 'no-answer') break
        }
      }
      if (told === undefined) throw fault
      return told
    },
    async open(wish, signal) {
      for (let tries = 1; ; tries += 1) {
        const outerPort = tries === 1 ? wish.outerPort : randomInt(20_000, 60_000)
        try {
          return await addWithLease({ ...wish, outerPort }, signal)
        } catch (error) {
          if (!wish.anyOuterPort || tries >= MAX_PORT_TRIES || !isRefusal(error, PORT_TAKEN)) throw error
        }
      }
    },
    async close({ protocol, outerPort }, signal) {
      const args = { NewRemoteHost: '', NewExternalPort: outerPort, NewProtocol: protocol.toUpperCase() }
      await call(inUse, 'DeletePortMapping', args, signal)
    },
  }
}

function meaningOf(code: number, answer: string): string {
  const meaning =
    MEANINGS[code] ?? (elementText(answer, 'errorDescription') ?? '').replace(/[^\x20-\x7e]/g, '').slice(0, 60)
  return meaning === '' ? `error ${code}` : `error ${code}: ${meaning}`
}

const isRefusal = (error: unknown, codes: readonly number[]): boolean =>
  error instanceof GatewayFault && error.code !== undefined && codes.includes(error.code)

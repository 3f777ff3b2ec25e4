import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { cleanName } from '#shared/person-names.js'

/** The stream protocol by which two persons trust each other after they compared a code. */
export const PAIR_PROTOCOL = '/ocf/pair/1.0.0'

/** Bytes of the longest frame. */
export const MAX_FRAME_BYTES = 256

const HASH_BYTES = 32
const NONCE_BYTES = 32
const MAX_NAME_BYTES = MAX_FRAME_BYTES - 1
const CODES = 1_000_000n

/** Why one side ends it; the place in this list is its number on the wire. */
const REASONS = [
  ...['refused', 'differ', 'expired', 'busy', 'off', 'far', 'full', 'not-stored', 'crossed', 'mismatch'],
] as const
/**
 * `refused`, `differ` (the codes do), `expired`: its person; `busy`: too many ask; `off`: it does not want to be asked;
 * `far`: not from the local network; `full`, `not-stored`: it cannot be written down; `crossed`: it asks this node itself,
 * which goes first; `mismatch`: the nonce is not the one that was promised.
 */
export type Reason = (typeof REASONS)[number]

/** One frame. `stored` carries what its sender calls itself, as it trusts the other from then on. */
export type Message =
  | { kind: 'commit'; commitment: Uint8Array }
  | { kind: 'nonce' | 'reveal'; nonce: Uint8Array }
  | { kind: 'confirm' | 'ready' }
  | { kind: 'stored'; name: string }
  | { kind: 'no'; reason: Reason }

const KIND = { commit: 1, nonce: 2, reveal: 3, confirm: 4, ready: 5, stored: 6, no: 7 } as const

/** Who asks whom: the peer ids as the secure channel proves them to the side that computes. */
export interface Sides {
  asker: string
  asked: string
}

/** The bytes of a frame. */
export function encode(message: Message): Uint8Array {
  return Buffer.concat([Buffer.from([KIND[message.kind]]), restOf(message)])
}

function restOf(message: Message): Uint8Array {
  switch (message.kind) {
    case 'commit':
      return message.commitment
    case 'nonce':
    case 'reveal':
      return message.nonce
    case 'confirm':
    case 'ready':
      return Buffer.alloc(0)
    case 'stored':
      return nameBytes(message.name)
    case 'no':
      return Buffer.from([REASONS.indexOf(message.reason)])
  }
}

/** What a frame says; undefined for anything that is none. */
export function decode(frame: Uint8Array): Message | undefined {
  const rest = frame.subarray(1)
  switch (frame[0]) {
    case KIND.commit:
      return rest.length === HASH_BYTES ? { kind: 'commit', commitment: rest } : undefined
    case KIND.nonce:
      return rest.length === NONCE_BYTES ? { kind: 'nonce', nonce: rest } : undefined
    case KIND.reveal:
      return rest.length === NONCE_BYTES ? { kind: 'reveal', nonce: rest } : undefined
    case KIND.confirm:
      return rest.length === 0 ? { kind: 'confirm' } : undefined
    case KIND.ready:
      return rest.length === 0 ? { kind: 'ready' } : undefined
    case KIND.stored:
      return rest.length <= MAX_NAME_BYTES ? { kind: 'stored', name: nameIn(rest) } : undefined
    case KIND.no: {
      const reason = REASONS[rest[0] ?? -1]
      return rest.length === 1 && reason !== undefined ? { kind: 'no', reason } : undefined
    }
    default:
      return undefined
  }
}

export const newNonce = (): Uint8Array => randomBytes(NONCE_BYTES)

/** What the asker promises before it knows the other nonce: it can show no other nonce afterwards. */
export const commitmentOf = (sides: Sides, nonce: Uint8Array): Uint8Array =>
  digest('ocf-pair commit v1\0', [sides.asker, sides.asked, nonce])

/** Whether the nonce is the one that was promised. */
export const keeps = (commitment: Uint8Array, sides: Sides, nonce: Uint8Array): boolean =>
  timingSafeEqual(commitment, commitmentOf(sides, nonce))

/** The six digits, as `123 456`. Each is as likely as the others to 1 in 10^13. */
export function codeOf(sides: Sides, nonces: { asker: Uint8Array; asked: Uint8Array }): string {
  const hash = digest('ocf-pair code v1\0', [sides.asker, sides.asked, nonces.asker, nonces.asked])
  const digits = String(hash.readBigUInt64BE() % CODES).padStart(6, '0')
  return `${digits.slice(0, 3)} ${digits.slice(3)}`
}

/** Each part behind its length in one byte, so that no two lists of parts are the same bytes. */
function digest(domain: string, parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256').update(domain)
  for (const part of parts) {
    const bytes = Buffer.from(part)
    hash.update(Buffer.from([bytes.length])).update(bytes)
  }
  return hash.digest()
}

/** As much of a name as a frame holds, in whole characters. */
function nameBytes(name: string): Uint8Array {
  const characters = Array.from(name)
  while (Buffer.byteLength(characters.join('')) > MAX_NAME_BYTES) characters.pop()
  return Buffer.from(characters.join(''))
}

const nameIn = (bytes: Uint8Array): string => cleanName(Buffer.from(bytes).toString('utf8'))

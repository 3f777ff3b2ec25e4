import { hash, timingSafeEqual } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { TextProblem } from '#shared/contract/people/invites.js'
import { cleanName } from '#shared/person-names.js'
import { isNetworkName } from './network-key.js'

/** What an invite says: how to reach who made it, and the secret that shows that one was invited. */
export interface Invite {
  /** Peer id. */
  readonly inviter: string
  /** What the inviter calls itself; empty where it does not say. */
  readonly name: string
  /** 16 random bytes. */
  readonly secret: Uint8Array
  /** Unix milliseconds, whole seconds. */
  readonly expiresAtMs: number
  /** Without the inviter's own id at their end; the best first. */
  readonly addresses: readonly string[]
  /** The 32 bytes of a private network's key; undefined for the public one. */
  readonly networkKey: Uint8Array | undefined
  /** What the inviter calls that private network. */
  readonly networkName?: string | undefined
}

/** Characters of an invite, at most. */
export const MAX_INVITE_LENGTH = 500
/** Addresses in an invite, at most. */
export const MAX_INVITE_ADDRESSES = 4
export const SECRET_BYTES = 16

/** The digit is the version. */
const PREFIX = 'ocf1'
const LINK = 'ocf://join/'
const LENGTH_BYTES = 2
const CHECK_BYTES = 4
const KEY_BYTES = 32
const NAME_BYTES = 48
const MAX_BYTES = Math.floor(((MAX_INVITE_LENGTH - PREFIX.length) * 3) / 4)
/** Length, inviter, secret, expiry and check. */
const MIN_BYTES = LENGTH_BYTES + (2 + KEY_BYTES) + (2 + SECRET_BYTES) + (2 + 4) + CHECK_BYTES

/** Fields of an invite, each as its tag, its length and its bytes. Unknown ones are skipped. */
const TAG = { inviter: 1, secret: 2, expiry: 3, address: 4, name: 5, networkKey: 6, networkName: 7 } as const

/** The one line of an invite; of its addresses as many as fit. */
export function writeInvite(invite: Invite): string {
  const name = Buffer.from(cut(invite.name), 'utf8')
  const expiry = Buffer.alloc(4)
  expiry.writeUInt32BE(Math.floor(invite.expiresAtMs / 1000))
  const fields = [
    field(TAG.inviter, rawKeyOf(invite.inviter)),
    field(TAG.secret, invite.secret),
    field(TAG.expiry, expiry),
    ...(invite.networkKey === undefined ? [] : [field(TAG.networkKey, invite.networkKey)]),
    ...(invite.networkKey === undefined || invite.networkName === undefined || !isNetworkName(invite.networkName)
      ? []
      : [field(TAG.networkName, Buffer.from(invite.networkName, 'ascii'))]),
    ...(name.length === 0 ? [] : [field(TAG.name, name)]),
  ]
  let room = MAX_BYTES - LENGTH_BYTES - CHECK_BYTES - Buffer.concat(fields).length
  for (const address of invite.addresses.slice(0, MAX_INVITE_ADDRESSES)) {
    const { bytes } = multiaddr(address)
    if (bytes.length + 2 > Math.min(room, 255)) continue
    room -= bytes.length + 2
    fields.push(field(TAG.address, bytes))
  }
  const content = Buffer.concat(fields)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt16BE(LENGTH_BYTES + content.length + CHECK_BYTES)
  const checked = Buffer.concat([length, content])
  return `${PREFIX}${Buffer.concat([checked, checkOf(checked)]).toString('base64url')}`
}

/** The same as a link that opens the app. */
export const inviteLink = (text: string): string => `${LINK}${text}`

/** The word in a sentence. */
const MENTION = /ocf1(?=\s)/gi
/** What mail programs put into a text: signs of quoting, soft ends of lines, and characters that nobody sees. */
const QUOTING = /=(?=\r?\n)|^[>|\s]+/gm
const UNSEEN = /[\s\p{Cf}]/gu
/** Hyphens that were made prettier. */
const HYPHENS = /[‐‑‒–−]/gu
const START = /ocf1(?=[A-Za-z0-9_-])/gi
const NEWER = /ocf[2-9](?=[A-Za-z0-9_-]{40})/i

/**
 * The invite in a pasted text, which may have other text around it, line ends and signs of quoting in it, and the same
 * invite twice; or what is wrong with it. Never throws.
 */
export function readInvite(text: string): { invite: Invite; text: string } | { problem: TextProblem } {
  const bare = text
    .replaceAll(MENTION, '')
    .replaceAll(QUOTING, '')
    .replaceAll('—', '--')
    .replaceAll(HYPHENS, '-')
    .replaceAll(UNSEEN, '')
  const found = new Map<string, Invite>()
  let problem: TextProblem = NEWER.test(bare) ? 'newer-version' : 'no-invite'
  let end = 0
  for (const { index } of bare.matchAll(START)) {
    if (index < end) continue
    const read = readAt(bare.slice(index + PREFIX.length))
    if ('problem' in read) {
      if (problem !== 'damaged') problem = read.problem
      continue
    }
    end = index + PREFIX.length + read.length
    found.set(`${PREFIX}${bare.slice(index + PREFIX.length, end)}`, read.invite)
  }
  const [first, second] = found
  if (first === undefined) return { problem }
  return second === undefined ? { text: first[0], invite: first[1] } : { problem: 'several' }
}

/** Reads what stands right behind the prefix. `length`: its characters. */
function readAt(text: string): { invite: Invite; length: number } | { problem: TextProblem } {
  const letters = /^[A-Za-z0-9_-]*/.exec(text)?.[0] ?? ''
  if (letters.length < 4) return { problem: 'cut-off' }
  const bytes = Buffer.from(letters.slice(0, MAX_INVITE_LENGTH), 'base64url')
  const length = bytes.readUInt16BE()
  if (length < MIN_BYTES || length > MAX_BYTES) return { problem: 'damaged' }
  if (bytes.length < length) return { problem: letters.length === text.length ? 'cut-off' : 'damaged' }
  const checked = bytes.subarray(0, length - CHECK_BYTES)
  if (!timingSafeEqual(checkOf(checked), bytes.subarray(length - CHECK_BYTES, length))) return { problem: 'damaged' }
  const invite = decode(checked.subarray(LENGTH_BYTES))
  return invite === undefined ? { problem: 'damaged' } : { invite, length: Math.ceil((length * 4) / 3) }
}

function decode(content: Buffer): Invite | undefined {
  const fields: [number, Buffer][] = []
  for (let at = 0; at < content.length;) {
    const [tag = 0, length = 0] = content.subarray(at, at + 2)
    const value = content.subarray(at + 2, at + 2 + length)
    if (value.length !== length || at + 2 > content.length) return undefined
    fields.push([tag, value])
    at += 2 + length
  }
  const one = (wanted: number): Buffer | undefined => fields.find(([tag]) => tag === wanted)?.[1]
  const [inviter, secret, expiry, networkKey] = [TAG.inviter, TAG.secret, TAG.expiry, TAG.networkKey].map(one)
  if (inviter?.length !== KEY_BYTES || secret?.length !== SECRET_BYTES || expiry?.length !== 4) return undefined
  if (networkKey !== undefined && networkKey.length !== KEY_BYTES) return undefined
  const networkName = one(TAG.networkName)?.toString('ascii')
  try {
    return {
      inviter: peerIdFromPublicKey(publicKeyFromRaw(inviter)).toString(),
      name: cleanName(one(TAG.name)?.toString('utf8') ?? ''),
      secret,
      expiresAtMs: expiry.readUInt32BE() * 1000,
      addresses: fields
        .filter(([tag]) => tag === TAG.address)
        .slice(0, MAX_INVITE_ADDRESSES)
        .map(([, bytes]) => multiaddr(bytes).toString()),
      networkKey,
      ...(networkKey !== undefined && networkName !== undefined && isNetworkName(networkName) ? { networkName } : {}),
    }
  } catch {
    return undefined // Foreign bytes behind a right checksum: no key, or no address.
  }
}

const field = (tag: number, value: Uint8Array): Buffer => Buffer.concat([Buffer.from([tag, value.length]), value])

/** Finds slips of copying, not forgery: the secret is what counts. */
const checkOf = (bytes: Uint8Array): Buffer =>
  hash('sha256', Buffer.concat([Buffer.from(PREFIX), bytes]), 'buffer').subarray(0, CHECK_BYTES)

function rawKeyOf(peerId: string): Uint8Array {
  const raw = peerIdFromString(peerId).publicKey?.raw
  if (raw?.length !== KEY_BYTES) throw new TypeError('only nodes with an Ed25519 key make invites')
  return raw
}

/** Whole characters that fit. */
function cut(name: string): string {
  const characters = Array.from(name)
  while (Buffer.byteLength(characters.join('')) > NAME_BYTES) characters.pop()
  return characters.join('')
}

import { createHash, createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { cleanName } from '#shared/person-names.js'

/** The stream protocol by which a guest shows that it was invited. */
export const INVITE_PROTOCOL = '/ocf/invite/1.0.0'

/** How long (ms) the whole exchange may take. */
export const EXCHANGE_WITHIN_MS = 10_000

/** What the inviter answers in the end; the place in this list is its number on the wire. */
const ANSWERS = ['accepted', 'already', 'used', 'expired', 'revoked', 'full', 'failed', 'refused', 'busy'] as const
/**
 * All but the last two carry a proof. `already`: the guest was trusted before; `failed`: it could not be stored; `refused`:
 * unknown invite or wrong proof; `busy`: too many attempts from where the guest is.
 */
export type Answer = (typeof ANSWERS)[number]

const NONCE_BYTES = 32
const ID_BYTES = 16
const PROOF_BYTES = 32
const MAX_NAME_BYTES = 256
/** Bytes of the longest frame. */
export const MAX_FRAME_BYTES = 1 + PROOF_BYTES + 1 + MAX_NAME_BYTES
const KIND = { hello: 1, challenge: 2, proof: 3, answer: 4 } as const

/** What both sides of an invite know of its secret: by what it is named, and with what it is proved. */
export interface SecretHashes {
  /** 32 hex digits. */
  id: string
  /** 64 hex digits. */
  key: string
}

/** Neither tells the secret, nor the other one. */
export function hashesOf(secret: Uint8Array): SecretHashes {
  const of = (label: string): Buffer =>
    hash('sha256', Buffer.concat([Buffer.from(`ocf-invite ${label} v1\0`), secret]), 'buffer')
  return { id: of('id').subarray(0, ID_BYTES).toString('hex'), key: of('key').toString('hex') }
}

/** Who talks to whom about what: a proof is good for this alone, so that passing it on is of no use. */
export interface Exchange {
  id: Uint8Array
  /** Peer ids, as the secure channel proves them. */
  guest: string
  inviter: string
  guestNonce: Uint8Array
  inviterNonce: Uint8Array
}

/** What the guest says first. */
export const helloOf = (id: string, nonce: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from([KIND.hello]), Buffer.from(id, 'hex'), nonce])

/** Undefined for anything else. */
export function readHello(frame: Uint8Array): { id: Uint8Array; nonce: Uint8Array } | undefined {
  if (frame[0] !== KIND.hello || frame.length !== 1 + ID_BYTES + NONCE_BYTES) return undefined
  return { id: frame.subarray(1, 1 + ID_BYTES), nonce: frame.subarray(1 + ID_BYTES) }
}

/** The inviter's nonce. It comes for every invite, whether there is one or not. */
export const challengeOf = (nonce: Uint8Array): Uint8Array => Buffer.concat([Buffer.from([KIND.challenge]), nonce])

/** The nonce; undefined for anything else. */
export const readChallenge = (frame: Uint8Array): Uint8Array | undefined =>
  frame[0] === KIND.challenge && frame.length === 1 + NONCE_BYTES ? frame.subarray(1) : undefined

export const newNonce = (): Uint8Array => randomBytes(NONCE_BYTES)

/** The guest's proof, and what it calls itself. */
export function proofOf(exchange: Exchange, key: string, name: string): Uint8Array {
  const said = Buffer.from(name.slice(0, MAX_NAME_BYTES / 4))
  return Buffer.concat([Buffer.from([KIND.proof]), mac('guest', exchange, key, said), said])
}

/** The guest's name where the proof is right; undefined otherwise. Takes the same time for every key. */
export function readProof(frame: Uint8Array, exchange: Exchange, key: string): { name: string } | undefined {
  const isWhole = frame[0] === KIND.proof && frame.length >= 1 + PROOF_BYTES
  const said = frame.subarray(1 + PROOF_BYTES)
  const expected = mac('guest', exchange, key, said)
  if (!isWhole || !timingSafeEqual(expected, frame.subarray(1, 1 + PROOF_BYTES))) return undefined
  return { name: nameIn(said) }
}

/**
 * The inviter's answer, with its own proof and name for those who know the secret. Without a key, bytes of chance stand
 * in place of the proof.
 */
export function answerOf(
  answer: Answer,
  proof: { exchange: Exchange; key: string; name: string } | undefined,
): Uint8Array {
  const code = Buffer.from([ANSWERS.indexOf(answer)])
  const said = Buffer.concat([code, Buffer.from((proof?.name ?? '').slice(0, MAX_NAME_BYTES / 4))])
  const proven = proof === undefined ? randomBytes(PROOF_BYTES) : mac('inviter', proof.exchange, proof.key, said)
  return Buffer.concat([Buffer.from([KIND.answer]), proven, said])
}

/** What the inviter says; `refused` where it does not prove that it knows the secret. Undefined for anything else. */
export function readAnswer(
  frame: Uint8Array,
  exchange: Exchange | undefined,
  key: string,
): { answer: Answer; name: string } | undefined {
  if (frame[0] !== KIND.answer || frame.length < 2 + PROOF_BYTES) return undefined
  const said = frame.subarray(1 + PROOF_BYTES)
  const answer = ANSWERS[said[0] ?? -1]
  if (answer === 'busy' || answer === 'refused') return { answer, name: '' }
  if (answer === undefined || exchange === undefined) return undefined
  const isProven = timingSafeEqual(mac('inviter', exchange, key, said), frame.subarray(1, 1 + PROOF_BYTES))
  return isProven ? { answer, name: nameIn(said.subarray(1)) } : { answer: 'refused', name: '' }
}

function mac(who: 'guest' | 'inviter', exchange: Exchange, key: string, said: Uint8Array): Buffer {
  const { id, guest, inviter, guestNonce, inviterNonce } = exchange
  const transcript = createHash('sha256').update('ocf-invite v1\0')
  for (const part of [id, guest, inviter, guestNonce, inviterNonce]) {
    const bytes = Buffer.from(part)
    transcript.update(Buffer.from([bytes.length])).update(bytes)
  }
  return createHmac('sha256', Buffer.from(key, 'hex'))
    .update(`${who}\0`)
    .update(transcript.digest())
    .update(said)
    .digest()
}

const nameIn = (bytes: Uint8Array): string => cleanName(Buffer.from(bytes).toString('utf8'))

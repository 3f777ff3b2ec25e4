// The certificates of libp2p's TLS: https://github.com/libp2p/specs/blob/master/tls/tls.md. @libp2p/tls 3.1.10 brings
// three libraries for them; what is needed is one fixed certificate to write, and one extension to read.

import { generateKeyPairSync, type KeyObject, randomBytes, sign, type X509Certificate } from 'node:crypto'
import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { InvalidCryptoExchangeError, type PeerId, type PrivateKey, UnexpectedPeerError } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { der, derMembers, derValues, type DerValue, TAG } from './der.js'

/** 1.3.6.1.4.1.53594.1.1, of the specification. */
const HOST_KEY_EXTENSION = Buffer.from('2b0601040183a25a0101', 'hex')
const SIGNED_PREFIX = Buffer.from('libp2p-tls-handshake:')

/** Algorithm and name of what is written: ecdsa-with-SHA256, and a serial number as the only part of a name. */
const ECDSA_WITH_SHA256 = der(TAG.sequence, der(TAG.oid, Buffer.from('2a8648ce3d040302', 'hex')))
const SERIAL_NUMBER_NAME = der(TAG.oid, Buffer.from('550405', 'hex'))

/** Extensions that may be marked critical beside libp2p's: key usage, basic constraints, extended key usage. */
const HARMLESS_EXTENSIONS = ['551d0f', '551d13', '551d25']

const DAY_MS = 24 * 60 * 60 * 1000
/** A certificate lives as long as its process; machines whose clock is wrong shall meet all the same. */
const VALID_BEFORE_MS = 365 * DAY_MS
const VALID_UNTIL = '21250101000000Z'
/** By how much clocks may differ. The period of others is an hour or more, and says nothing that the signature does not. */
const CLOCK_TOLERANCE_MS = DAY_MS

/** A key and a certificate for it, in PEM, that prove to hold the private key of a peer. */
export interface TlsIdentity {
  key: string
  cert: string
}

/** Makes a certificate that says whose connection it is: a new key, signed for by the peer's own. */
export async function createTlsIdentity(privateKey: PrivateKey, nowMs: number): Promise<TlsIdentity> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' })
  const signature = await privateKey.sign(Buffer.concat([SIGNED_PREFIX, publicKey]))
  const hostKey = der(
    TAG.sequence,
    der(TAG.octetString, publicKeyToProtobuf(privateKey.publicKey)),
    der(TAG.octetString, signature),
  )
  const extension = der(TAG.sequence, der(TAG.oid, HOST_KEY_EXTENSION), der(TAG.octetString, hostKey))
  return {
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: writeCertificate({ publicKey, signWith: keys.privateKey, extensions: [extension], nowMs }),
  }
}

/** What stands in a certificate. */
export interface CertificateParts {
  /** In DER, of the curve P-256. */
  publicKey: Buffer
  signWith: KeyObject
  /** In DER, one after the other. */
  extensions: readonly Buffer[]
  /** The time it is made for, ms since 1970, before 2050. */
  nowMs: number
  /** `YYYYMMDDhhmmssZ` */
  until?: string
}

/** A certificate of version 3 in PEM. */
export function writeCertificate(parts: CertificateParts): string {
  const { publicKey, signWith, extensions, nowMs, until = VALID_UNTIL } = parts
  const serial = randomBytes(8)
  // Positive and without a zero in front, which would not be DER.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f)
  const nameValue = der(TAG.printableString, Buffer.from(serial.readBigUInt64BE().toString()))
  const name = der(TAG.sequence, der(TAG.set, der(TAG.sequence, SERIAL_NUMBER_NAME, nameValue)))
  const from = new Date(nowMs - VALID_BEFORE_MS).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  const period = der(
    TAG.sequence,
    der(TAG.utcTime, Buffer.from(from.slice(2))),
    der(TAG.generalizedTime, Buffer.from(until)),
  )
  const body = der(
    TAG.sequence,
    der(TAG.version, der(TAG.integer, Buffer.from([2]))),
    der(TAG.integer, serial),
    ECDSA_WITH_SHA256,
    name,
    period,
    name,
    publicKey,
    der(TAG.extensions, der(TAG.sequence, ...extensions)),
  )
  const signature = der(TAG.bitString, Buffer.from([0]), sign('sha256', body, signWith))
  const certificate = der(TAG.sequence, body, ECDSA_WITH_SHA256, signature)
  const lines = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

/**
 * The peer whose certificate this is. That the other end holds its key is what the handshake of TLS proves.
 * @throws InvalidCryptoExchangeError for one that proves nothing; UnexpectedPeerError for another peer's than `expected`
 */
export async function peerOfCertificate(
  certificate: X509Certificate,
  expected: PeerId | undefined,
  nowMs: number,
): Promise<PeerId> {
  const isValid =
    certificate.validFromDate.getTime() - CLOCK_TOLERANCE_MS <= nowMs &&
    certificate.validToDate.getTime() + CLOCK_TOLERANCE_MS >= nowMs
  if (!isValid) throw new InvalidCryptoExchangeError('The certificate is not valid now.')
  if (!certificate.verify(certificate.publicKey)) {
    throw new InvalidCryptoExchangeError('The certificate is not signed by its own key.')
  }
  const peerId = await signedPeer(certificate.raw).catch((error: unknown) => {
    if (error instanceof InvalidCryptoExchangeError) throw error
    throw Object.assign(new InvalidCryptoExchangeError('The certificate can not be read.'), { cause: error })
  })
  if (expected?.equals(peerId) === false)
    throw new UnexpectedPeerError(`The other end has the identity key of ${peerId.toString()}.`)
  return peerId
}

async function signedPeer(raw: Buffer): Promise<PeerId> {
  const { publicKey, extensions } = partsOf(raw)
  let found: Buffer | undefined
  for (const extension of extensions) {
    const [oid, second, third] = derValues(extension.content)
    const isCritical = second?.tag === TAG.boolean
    const value = isCritical ? third : second
    if (oid?.tag !== TAG.oid || value?.tag !== TAG.octetString) throw new RangeError('an extension is none')
    if (oid.content.equals(HOST_KEY_EXTENSION)) {
      if (found !== undefined) throw new InvalidCryptoExchangeError('The certificate names two peers.')
      found = value.content
    } else if (isCritical && !HARMLESS_EXTENSIONS.includes(oid.content.toString('hex'))) {
      throw new InvalidCryptoExchangeError('The certificate demands what is not known here.')
    }
  }
  if (found === undefined) throw new InvalidCryptoExchangeError('The certificate names no peer.')
  const [hostKey, signature] = derMembers(found, TAG.sequence)
  if (hostKey?.tag !== TAG.octetString || signature?.tag !== TAG.octetString) throw new RangeError('no key in it')
  const peerKey = publicKeyFromProtobuf(hostKey.content)
  if (!(await peerKey.verify(Buffer.concat([SIGNED_PREFIX, publicKey]), signature.content))) {
    throw new InvalidCryptoExchangeError('The peer has not signed for the key of the certificate.')
  }
  return peerIdFromPublicKey(peerKey)
}

/** RFC 5280 §4.1: the key, byte for byte as it was signed, and the extensions. */
function partsOf(raw: Buffer): { publicKey: Buffer; extensions: DerValue[] } {
  const [body] = derMembers(raw, TAG.sequence)
  if (body?.tag !== TAG.sequence) throw new RangeError('no certificate')
  const fields = derValues(body.content)
  const [version, , , , , , publicKey] = fields
  if (version?.tag !== TAG.version || publicKey?.tag !== TAG.sequence)
    throw new RangeError('no certificate of version 3')
  const extensions = fields.find(({ tag }) => tag === TAG.extensions)
  return {
    publicKey: publicKey.whole,
    extensions: extensions === undefined ? [] : derMembers(extensions.content, TAG.sequence),
  }
}

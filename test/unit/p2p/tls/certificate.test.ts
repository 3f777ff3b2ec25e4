import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTlsIdentity, peerOfCertificate, writeCertificate } from '../../../../src-main/p2p/tls/certificate.js'
import { der, derMembers, derValues, TAG } from '../../../../src-main/p2p/tls/der.js'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const DAY_MS = 86_400_000

async function made(): Promise<{ peerId: string; certificate: X509Certificate }> {
  const privateKey = await generateKeyPair('Ed25519')
  const { cert } = await createTlsIdentity(privateKey, NOW)
  return { peerId: peerIdFromPrivateKey(privateKey).toString(), certificate: new X509Certificate(cert) }
}

/** The extensions of a certificate, each in DER. */
function extensionsOf({ raw }: X509Certificate): Buffer[] {
  const [body] = derMembers(raw, TAG.sequence)
  const extensions = derValues(body?.content ?? Buffer.alloc(0)).find(({ tag }) => tag === TAG.extensions)
  return derMembers(extensions?.content ?? Buffer.alloc(0), TAG.sequence).map(({ whole }) => whole)
}

const newKeys = (): { publicKey: Buffer; signWith: KeyObject } => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }), signWith: privateKey }
}

describe('certificates of TLS', () => {
  test.each(['Ed25519', 'secp256k1', 'RSA'] as const)('name the peer of a key of %s', async (type) => {
    const privateKey = await generateKeyPair(type)
    const { cert } = await createTlsIdentity(privateKey, NOW)
    const peerId = peerIdFromPrivateKey(privateKey)
    expect((await peerOfCertificate(new X509Certificate(cert), peerId, NOW)).toString()).toBe(peerId.toString())
  })

  test('of another peer than was dialled are refused', async () => {
    const { certificate } = await made()
    const dialled = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    await expect(peerOfCertificate(certificate, dialled, NOW)).rejects.toThrow('The other end has the identity key of')
  })

  test('with the proof from the certificate of somebody else are refused', async () => {
    const victim = await made()
    const stolen = writeCertificate({ ...newKeys(), extensions: extensionsOf(victim.certificate), nowMs: NOW })
    await expect(peerOfCertificate(new X509Certificate(stolen), undefined, NOW)).rejects.toThrow('has not signed')
  })

  test('with the key of somebody else, signed by another, are refused', async () => {
    const victim = await made()
    const publicKey = victim.certificate.publicKey.export({ type: 'spki', format: 'der' })
    const extensions = extensionsOf(victim.certificate)
    const forged = writeCertificate({ publicKey, signWith: newKeys().signWith, extensions, nowMs: NOW })
    await expect(peerOfCertificate(new X509Certificate(forged), undefined, NOW)).rejects.toThrow('own key')
  })

  test('without a peer, with two, and with demands nobody here knows are refused', async () => {
    const keys = newKeys()
    const own = extensionsOf((await made()).certificate)
    const unknown = der(
      TAG.sequence,
      der(TAG.oid, Buffer.from('2a0304', 'hex')),
      der(TAG.boolean, Buffer.from([0xff])),
      der(TAG.octetString),
    )
    const judged = (extensions: Buffer[]): Promise<unknown> =>
      peerOfCertificate(new X509Certificate(writeCertificate({ ...keys, extensions, nowMs: NOW })), undefined, NOW)
    await expect(judged([])).rejects.toThrow('names no peer')
    await expect(judged([...own, ...own])).rejects.toThrow('names two peers')
    await expect(judged([unknown, ...own])).rejects.toThrow('demands')
  })

  test('are refused before their time and behind it, by more than clocks differ', async () => {
    const { certificate } = await made()
    await expect(peerOfCertificate(certificate, undefined, NOW - 364 * DAY_MS)).resolves.toBeDefined()
    await expect(peerOfCertificate(certificate, undefined, NOW - 367 * DAY_MS)).rejects.toThrow('not valid now')
    const old = writeCertificate({ ...newKeys(), extensions: [], nowMs: NOW, until: '20260101000000Z' })
    await expect(peerOfCertificate(new X509Certificate(old), undefined, NOW)).rejects.toThrow('not valid now')
  })

  test('in which a byte is changed never name another peer', async () => {
    const { certificate, peerId } = await made()
    await fc.assert(
      fc.asyncProperty(fc.nat(certificate.raw.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const raw = Buffer.from(certificate.raw)
        raw[at] = (raw[at] ?? 0) ^ change
        let changed: X509Certificate
        try {
          changed = new X509Certificate(raw)
        } catch {
          return
        }
        const found = await peerOfCertificate(changed, undefined, NOW).catch(() => undefined)
        expect([undefined, peerId]).toContain(found?.toString())
      }),
    )
  })
})

test('a reader of DER ends at any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        const values = derValues(Buffer.from(bytes))
        expect(values.reduce((sum, { whole }) => sum + whole.length, 0)).toBe(bytes.length)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }),
  )
})

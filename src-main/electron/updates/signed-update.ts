import { createPublicKey, verify } from 'node:crypto'

/** What a release's list (`latest*.yml`) says of a version, as far as it decides what is installed. */
export interface UpdateList {
  version: string
  files: { url: string; sha512: string }[]
}

/** A version that its publisher has not signed, or not as it is offered. */
export class UnsignedUpdate extends Error {}

/**
 * Checks a list's member `signature` with the publisher's keys (SPKI, PEM, one below the other): one of them made it.
 * @throws UnsignedUpdate when it is missing, of another key, or over another list
 */
export function assertSigned(list: UpdateList & { signature?: unknown }, publicKeys: string): void {
  const { signature } = list
  if (typeof signature !== 'string') throw new UnsignedUpdate('The list of the newer version has no signature.')
  const statement = updateStatement(list)
  const isOf = (pem: string): boolean => {
    const key = createPublicKey(pem)
    return key.asymmetricKeyType === 'ed25519' && verify(null, statement, key, Buffer.from(signature, 'base64'))
  }
  const keys = publicKeys.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []
  if (!keys.some(isOf)) throw new UnsignedUpdate('The signature of the newer version is not its publisher’s.')
}

/**
 * The bytes that are signed: the version, and name and checksum of each file. What else stands in the list (names of a
 * release, dates) decides nothing: a list without files, or with `packages`, is refused, as the updater would then go by
 * members that are not signed.
 */
export function updateStatement({ version, files, packages }: UpdateList & { packages?: unknown }): Buffer {
  if (
    typeof version !== 'string' ||
    !Array.isArray(files) ||
    files.length === 0 ||
    !files.every(isFile) ||
    packages !== undefined
  ) {
    throw new UnsignedUpdate('The list of the newer version names no files with their checksums.')
  }
  return Buffer.from(JSON.stringify(['ocf-update-1', version, files.map(({ url, sha512 }) => [url, sha512])]))
}

/** A list comes from the network: it may hold anything. */
function isFile(file: unknown): boolean {
  if (typeof file !== 'object' || file === null || !('url' in file) || !('sha512' in file)) return false
  return typeof file.url === 'string' && typeof file.sha512 === 'string' && /^[A-Za-z0-9+/]{86}==$/.test(file.sha512)
}

import { createHash } from 'node:crypto'

/** Bytes of a digest on the wire. */
export const DIGEST_BYTES = 16

/** A digest of a set of envelopes that does not depend on their order and changes with each one in O(1). */
export interface TableDigest {
  /** Adds an envelope that is not in, or takes out one that is. */
  toggle(envelope: Uint8Array): void
  bytes(): Uint8Array
}

/**
 * The digest of the empty set. It saves a sync where nothing differs and proves nothing: XOR of hashes can be forged by
 * whoever owns many rows, so now and then peers compare in full (see sync).
 */
export function createTableDigest(): TableDigest {
  const sum = new Uint8Array(DIGEST_BYTES)

  return {
    toggle(envelope) {
      const hash = createHash('sha256').update(envelope).digest()
      for (let index = 0; index < DIGEST_BYTES; index += 1) sum[index] = (sum[index] ?? 0) ^ (hash[index] ?? 0)
    },
    bytes: () => sum.slice(),
  }
}

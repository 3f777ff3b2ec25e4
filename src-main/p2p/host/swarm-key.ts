import { readFile } from 'node:fs/promises'
import { AppError } from '#shared/errors.js'

const MAX_BYTES = 1024

/**
 * The key of a private network: `/key/swarm/psk/1.0.0/`, `/base16/` and 64 hexadecimal digits, a line each.
 * @throws AppError `invalid_settings` when the file cannot be read or is no such key
 */
export async function readSwarmKey(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new AppError('invalid_settings', `The swarm key ${file} cannot be read.`, { param: 'swarm-key', cause })
  })
  const text = bytes.subarray(0, MAX_BYTES).toString('utf8').trim()
  if (!/^\/key\/swarm\/psk\/1\.0\.0\/\r?\n\/base16\/\r?\n[0-9a-f]{64}$/i.test(text)) {
    throw new AppError(
      'invalid_settings',
      `${file} is not a swarm key: three lines, /key/swarm/psk/1.0.0/, /base16/ and 64 hexadecimal digits.`,
      { param: 'swarm-key' },
    )
  }
  return Buffer.from(text.replaceAll('\r', ''))
}

// Signs the lists of updates of a release, which the app checks before it downloads a newer version:
//   UPDATE_PRIVATE_KEY="$(cat key.pem)" node .ci/sign-updates.ts release/latest*.yml
// docs/releasing.md says how the keys are made. It needs no package, so that none can read the key.
import { sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { assertSigned, updateStatement, type UpdateList } from '../src-main/electron/updates/signed-update.ts'

const PUBLIC_KEYS = resolve(import.meta.dirname, '..', 'assets', 'update-key.pem')

/** The version and the files that a list of electron-builder's names. Throws when it has another form than expected. */
export function readUpdateList(text: string): UpdateList {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const version = lines.flatMap((line) => /^version: ([\w.+-]+)$/.exec(line)?.[1] ?? [])
  const begin = lines.indexOf('files:') + 1
  const end = lines.findIndex((line, at) => at >= begin && !line.startsWith('  '))
  const entries = lines
    .slice(begin, end)
    .join('\n')
    .split(/^ {2}- /m)
    .slice(1)
  const files = entries.map((entry) => ({ url: member(entry, 'url'), sha512: member(entry, 'sha512') }))
  if (begin === 0 || version.length !== 1 || files.length === 0) throw new Error('This is not a list of updates.')
  return { version: version[0] ?? '', files }
}

function member(entry: string, name: string): string {
  const found = [...entry.matchAll(new RegExp(`^(?: {4})?${name}: (\\S+)$`, 'gm'))].map(([, value]) => value)
  if (found.length !== 1 || found[0] === undefined) throw new Error(`A file of the list has not one ${name}.`)
  return found[0]
}

/**
 * The list with its signature as one more member. Throws when the private key is none of those whose public half comes with
 * the app, as no app would then take the version.
 */
export function signedUpdateList(text: string, keys: { privateKey: string; publicKeys: string }): string {
  if (/^signature:/m.test(text)) throw new Error('The list is signed already.')
  const list = readUpdateList(text)
  const signature = sign(null, updateStatement(list), keys.privateKey).toString('base64')
  assertSigned({ ...list, signature }, keys.publicKeys)
  return `${text.trimEnd()}\nsignature: ${signature}\n`
}

if (import.meta.main) {
  const keys = { privateKey: process.env['UPDATE_PRIVATE_KEY'] ?? '', publicKeys: readFileSync(PUBLIC_KEYS, 'utf8') }
  for (const file of process.argv.slice(2)) {
    writeFileSync(file, signedUpdateList(readFileSync(file, 'utf8'), keys))
    process.stdout.write(`${file}: signed\n`)
  }
}

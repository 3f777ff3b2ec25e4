import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { readUpdateList, signedUpdateList } from '../../../.ci/sign-updates.ts'
import { assertSigned, type UpdateList } from '../../../src-main/electron/updates/signed-update.js'
import { updateKeys } from '../../fixtures/update-feed.js'

const sha512 = (byte: number): string => Buffer.alloc(64, byte).toString('base64')

/** As electron-builder writes it for macOS: several files, and members for older updaters. */
const LIST = `version: 1.2.3
files:
  - url: ocf-desktop-1.2.3-mac-arm64.zip
    sha512: ${sha512(1)}
    size: 100
  - url: ocf-desktop-1.2.3-mac-x64.zip
    sha512: ${sha512(2)}
    size: 200
    blockMapSize: 10
path: ocf-desktop-1.2.3-mac-arm64.zip
sha512: ${sha512(1)}
releaseDate: '2026-01-01T00:00:00.000Z'
`

it('a list of updates is read as YAML reads it, and the app takes it once it is signed', () => {
  const keys = updateKeys()
  for (const text of [LIST, LIST.replaceAll('\n', '\r\n')]) {
    const { version, files } = parse(text) as UpdateList
    expect(readUpdateList(text)).toEqual({
      version,
      files: files.map(({ url, sha512: sum }) => ({ url, sha512: sum })),
    })
    assertSigned(parse(signedUpdateList(text, keys)) as UpdateList, keys.publicKeys)
  }
})

it('while the key is changed the app takes a list of updates that either key has signed', () => {
  const [before, next] = [updateKeys(), updateKeys()]
  const publicKeys = before.publicKeys + next.publicKeys
  for (const { privateKey } of [before, next]) {
    assertSigned(parse(signedUpdateList(LIST, { privateKey, publicKeys })) as UpdateList, publicKeys)
  }
  expect(() => signedUpdateList(LIST, { ...before, publicKeys: '' })).toThrow('not its publisher’s')
})

it('a list of updates is signed once, and only with the key whose public half comes with the app', () => {
  const keys = updateKeys()
  expect(() => signedUpdateList(signedUpdateList(LIST, keys), keys)).toThrow('signed already')
  expect(() => signedUpdateList(LIST, { ...keys, publicKeys: updateKeys().publicKeys })).toThrow('not its publisher’s')
})

it.each(['', 'version: 1.2.3\n', 'files: []\n', LIST.replace(/ {4}sha512.*\n/, ''), LIST.replace('version', 'v')])(
  'a text that is no list of updates is not signed (%#)',
  (text) => {
    expect(() => signedUpdateList(text, updateKeys())).toThrow()
  },
)

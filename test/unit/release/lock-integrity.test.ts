import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it, vi } from 'vitest'
import { completed, integrityOf, lockProblems, type Lock } from '../../../.ci/lock-integrity.ts'

const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const HASH = integrityOf(Buffer.from('a package'))

const lock = (packages: Lock['packages']): Lock => ({ packages: { '': { version: '1.0.0' }, ...packages } })

it('an entry of the lock file without a sha512 checksum is named, wherever it lies', () => {
  const given = lock({
    'node_modules/a': { version: '1.0.0', integrity: HASH },
    'node_modules/b': { version: '1.0.0' },
    'node_modules/a/node_modules/@x/c': { version: '1.0.0', integrity: 'sha1-AAAA' },
    'node_modules/local': { link: true },
  })
  expect(lockProblems(given, [])).toEqual([
    'node_modules/b has no sha512 checksum.',
    'node_modules/a/node_modules/@x/c has no sha512 checksum.',
  ])
  expect(lockProblems(given, ['b', '@x/c'])).toEqual([])
})

it('an excuse in the list of the lock file’s check that none needs any more is named', () => {
  expect(lockProblems(lock({ 'node_modules/b': { version: '1.0.0', integrity: HASH } }), ['b'])).toEqual([
    'b is excused without need: take it off the list.',
  ])
})

it('a lock file is completed with what the registry says, and stays as it is where nothing is missing', () => {
  const ask = vi.fn(() => HASH)
  const whole = completed(lock({ 'node_modules/@x/b': { version: '2.0.0' } }), ask)
  expect(ask.mock.calls).toEqual([['@x/b@2.0.0']])
  expect(lockProblems(whole, [])).toEqual([])
  expect(JSON.stringify(completed(whole, ask))).toBe(JSON.stringify(whole))
})

it('a lock file that the registry cannot complete is no lock file of a release', () => {
  const ask = (spec: string): string => (spec.startsWith('b@') ? '' : HASH)
  const given = lock({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' } })
  expect(() => completed(given, ask)).toThrow('no checksum of b@2.0.0.')
})

it('the lock file keeps its form when it is completed', () => {
  const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
  const whole = completed(JSON.parse(text) as Lock, () => HASH)
  const lines = `${JSON.stringify(whole, null, 2)}\n`.split('\n')
  const added = lines.filter((line) => line.includes(HASH))
  expect(lines.filter((line) => !added.includes(line)).join('\n')).toBe(text)
})

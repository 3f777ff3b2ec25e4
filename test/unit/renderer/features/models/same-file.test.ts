import { expect, test } from 'vitest'
import { likenessOf, referenceDigest } from '../../../../../src-renderer/features/models/same-file.js'

const provider = (peerId: string, digest?: string, self = false) => ({
  ...{ peerId, self, connected: true, trusted: false, visibility: 'everyone' as const, load: null },
  ...(digest === undefined ? {} : { digest }),
})

test('files are held against this computer’s own, else against the one that most providers have', () => {
  const others = [provider('a', 'aaaa'), provider('b', 'bbbb'), provider('c', 'bbbb'), provider('d')]
  expect(referenceDigest({ providers: others })).toBe('bbbb')
  expect(referenceDigest({ providers: [...others, provider('me', 'aaaa', true)] })).toBe('aaaa')
  expect(referenceDigest({ providers: [provider('d')] })).toBeUndefined()
})

test('a provider has the same file, another one, or does not say', () => {
  expect(likenessOf('aaaa', 'aaaa')).toBe('same')
  expect(likenessOf('bbbb', 'aaaa')).toBe('other')
  expect(likenessOf(undefined, 'aaaa')).toBeUndefined()
  expect(likenessOf('aaaa', undefined)).toBeUndefined()
})

import { expect, test } from 'vitest'
import { choose, headersFor } from '../../../../../src-renderer/features/models/preferences.js'

test('providers are preferred one at a time and excluded many at a time', () => {
  const some = choose(choose(choose({}, 'a', 'prefer'), 'b', 'exclude'), 'c', 'exclude')
  expect(headersFor(some)).toEqual({ 'X-Ocf-Prefer': 'a', 'X-Ocf-Exclude': 'b, c' })
  expect(headersFor(choose(some, 'b', 'prefer'))).toEqual({ 'X-Ocf-Prefer': 'b', 'X-Ocf-Exclude': 'c' })
  expect(headersFor(choose(some, 'a', 'any'))).toEqual({ 'X-Ocf-Exclude': 'b, c' })
  expect(headersFor({})).toEqual({})
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStopFilter } from '../../../src-main/demo-model/stop-filter.js'

function filtered(pieces: readonly string[], stops: readonly string[]): string {
  const filter = createStopFilter(stops)
  let text = ''
  for (const piece of pieces) {
    const result = filter.push(piece)
    text += result.text
    if (result.stopped) return text
  }
  return text + filter.flush()
}

test('however a text is cut into pieces, it ends before the first stop text', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba', 'aab', ''), { maxLength: 30 })
  const stops = fc.array(fc.stringMatching(/^[ab]{1,4}$/), { maxLength: 3 })
  fc.assert(
    fc.property(letters, stops, (pieces, wanted) => {
      const text = pieces.join('')
      const result = filtered(pieces, wanted)
      const holdsStop = wanted.some((stop) => text.includes(stop))
      expect(text.startsWith(result)).toBe(true)
      expect(wanted.some((stop) => result.includes(stop))).toBe(false)
      if (!holdsStop) expect(result).toBe(text)
      else expect(wanted.some((stop) => text.startsWith(stop, result.length))).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('text that can not be part of a stop text is not held back', () => {
  const filter = createStopFilter(['STOP', ''])
  expect(filter.push('hello S').text).toBe('hello ')
  expect(filter.push('un').text).toBe('Sun')
})

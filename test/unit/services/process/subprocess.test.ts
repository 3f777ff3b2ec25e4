import { expect, test } from 'vitest'
import { createLineSplitter } from '../../../../src-main/services/process/subprocess.js'

const bytes = (text: string): Uint8Array => Buffer.from(text)

test('lines come whole however their bytes are cut', () => {
  const splitter = createLineSplitter({ maxLength: 100 })
  const text = 'first\r\nzwölf\n\nlast'
  const lines = [...Buffer.from(text)].flatMap((byte) => splitter.push(Uint8Array.of(byte)))

  expect([...lines, ...splitter.end()]).toEqual(['first', 'zwölf', 'last'])
})

test('a long line is cut and its rest is not kept', () => {
  const splitter = createLineSplitter({ maxLength: 10 })
  expect(splitter.push(bytes('x'.repeat(1000)))).toEqual([])
  expect(splitter.push(bytes('y'.repeat(1000)))).toEqual([])
  expect(splitter.push(bytes('\nshort\n'))).toEqual([`${'x'.repeat(10)}…`, 'short'])
  expect(splitter.end()).toEqual([])
})

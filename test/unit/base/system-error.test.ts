import { mkdtempSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { isOutOfDescriptors, shortageError, systemCodeOf } from '../../../src-main/base/system-error.js'

const systemError = (errno: number) => Object.assign(new Error('odd'), { code: 'ERR_SYSTEM_ERROR', errno })

test('the system’s code is found in an error, in its cause, in plain numbers and in the words of libraries', () => {
  let real: unknown
  try {
    openSync(mkdtempSync(`${tmpdir()}/ocf-`), 'w')
  } catch (error) {
    real = error
  }
  expect(systemCodeOf(real)).toBe('EISDIR')
  expect(systemCodeOf(new Error('outer', { cause: new Error('inner', { cause: real }) }))).toBe('EISDIR')
  expect(systemCodeOf(systemError(24))).toBe('EMFILE')
  expect(systemCodeOf(systemError(-24))).toBe('EMFILE')
  expect(systemCodeOf(systemError(13))).toBe('EACCES')
  expect(systemCodeOf(new Error('IO error: /x/lock/000005.log: No space left on device'))).toBe('ENOSPC')
  expect(systemCodeOf(new Error('Too many open files (os error 24)'))).toBe('EMFILE')
  expect(systemCodeOf(new Error('Too many open files in system (os error 23)'))).toBe('ENFILE')
  expect(systemCodeOf(new Error('nothing of the kind'))).toBeUndefined()
  expect(systemCodeOf(Object.assign(new Error('no'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBeUndefined()
  expect(systemCodeOf('odd')).toBeUndefined()
})

test('only a missing descriptor counts as one', () => {
  expect(isOutOfDescriptors(Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))).toBe(true)
  expect(isOutOfDescriptors(systemError(23))).toBe(true)
  expect(isOutOfDescriptors(Object.assign(new Error('no'), { code: 'ECONNRESET' }))).toBe(false)
  expect(isOutOfDescriptors(new TypeError('x is not a function'))).toBe(false)
})

test('what a start lacked is one sentence with the remedy', () => {
  expect(shortageError(new Error('No space left on device'), '/data')).toMatchObject({
    code: 'disk_full',
    message:
      'The disk of the data folder /data is full (ENOSPC). Free some space, or pass a folder on another disk with --data-dir.',
  })
  expect(shortageError(systemError(24), '/data')).toMatchObject({
    code: 'too_many_open_files',
    message: expect.stringContaining('ulimit -n') as string,
  })
  expect(shortageError(new Error('other'), '/data')).toBeUndefined()
})

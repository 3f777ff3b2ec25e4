import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { COMPILED, readWholeProgram, type WholeProgram } from '../../../../src-main/compose/compiled/whole-program.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocf-program-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const file = (): string => join(dir, 'program.cjs')
const kept = (): string[] => readdirSync(join(dir, 'cache')).sort()

/** Writes the program and reads it as the next start would. */
function written(name = 'one'): WholeProgram {
  writeFileSync(
    file(),
    `(function (require, importMeta) { const { sep } = require('node:path'); function twice(n) { return n * 2 }
    return { sum: twice(21), sep, from: importMeta.dirname, name: ${JSON.stringify(name)} } })`,
  )
  const program = readWholeProgram(file(), { cacheDir: join(dir, 'cache'), importMeta: import.meta })
  if (program === undefined) throw new Error('It is not read.')
  return program
}

test('a program runs with what it asks for and knows where it is', () => {
  expect(written().run()).toMatchObject({ sum: 42, sep: '/', from: import.meta.dirname })
})

test('what was compiled is taken at the next start, and does the same', () => {
  const first = written()
  first.run()
  expect(first.compiled).toBe(0)
  first.keep(COMPILED.start)
  const second = written()
  expect(second.compiled).toBe(COMPILED.start)
  expect(second.run()).toMatchObject({ sum: 42, name: 'one' })
})

test('it is kept once more with what requests need, and then no more', () => {
  const first = written()
  first.keep(COMPILED.start)
  const stale = readFileSync(join(dir, 'cache', kept()[0]!))
  const second = written()
  second.keep(COMPILED.start)
  expect(readFileSync(join(dir, 'cache', kept()[0]!))).toEqual(stale)
  second.keep(COMPILED.requests)
  const third = written()
  expect(third.compiled).toBe(COMPILED.requests)
  rmSync(join(dir, 'cache', kept()[0]!))
  third.keep(COMPILED.requests)
  expect(kept()).toEqual([])
})

test('another program of the same length is compiled anew', () => {
  const first = written('one')
  first.run()
  first.keep(COMPILED.start)
  const other = written('two')
  expect(other.compiled).toBe(0)
  expect(other.run()).toMatchObject({ name: 'two' })
})

test('a file that is not what was written is left alone', () => {
  const first = written()
  first.run()
  first.keep(COMPILED.start)
  const path = join(dir, 'cache', kept()[0]!)
  const whole = readFileSync(path)
  for (const damaged of [whole.subarray(0, 7), whole.subarray(0, -1), Buffer.from(whole).fill(1, 100, 101)]) {
    writeFileSync(path, damaged)
    const program = written()
    expect(program.compiled).toBe(0)
    expect(program.run()).toMatchObject({ sum: 42 })
  }
})

test('the newest three are kept', () => {
  for (const [index, name] of ['a', 'bb', 'ccc', 'dddd'].entries()) {
    const program = written(name)
    program.run()
    program.keep(COMPILED.start)
    for (const one of kept().slice(index)) utimesSync(join(dir, 'cache', one), index, index)
  }
  expect(kept()).toHaveLength(3)
  expect(written('dddd').compiled).toBe(COMPILED.start)
})

test('nothing is kept under other flags: V8 would not take it', () => {
  const program = written()
  program.run()
  setFlagsFromString('--semi-space-growth-factor=1')
  try {
    program.keep(COMPILED.start)
  } finally {
    setFlagsFromString('--semi-space-growth-factor=2')
  }
  expect(() => kept()).toThrow('ENOENT')
})

test('where nothing can be kept the program runs all the same', () => {
  writeFileSync(join(dir, 'cache'), '')
  const program = written()
  program.keep(COMPILED.start)
  expect(program.run()).toMatchObject({ sum: 42 })
})

test('there need be no such file', () => {
  expect(readWholeProgram(file(), { cacheDir: dir, importMeta: import.meta })).toBeUndefined()
})

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { MonotonicClock } from '../../../src-main/base/clock.js'
import { createLogFile } from '../../../src-main/logging/log-file.js'
import { createLogger } from '../../../src-main/logging/logger.js'
import { OWNER_FILE } from '../../fixtures/file-modes.js'
import { createTurnableClock } from '../../fixtures/table-owners.js'
import { until } from '../../fixtures/until.js'

const clock = createTurnableClock()
let root: string
let dir: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocf-logs-'))
  dir = join(root, 'logs')
})
afterEach(async () => {
  await chmod(root, 0o700)
  await rm(root, { recursive: true, force: true })
})

const signal = new AbortController().signal
function open({ monotonic, ...options }: { maxSize?: '1K'; monotonic?: MonotonicClock } = {}) {
  const logger = createLogger({ level: 'info', format: 'text', destination: { write: () => true } })
  return {
    logger,
    file: createLogFile({ ring: logger.ring, log: logger.log, ...(monotonic && { monotonic }) }, { dir, ...options }),
  }
}
/** The newest line is in the second file where it made the first one full. */
const isWritten = async (n: number) =>
  (await Promise.all((await readdir(dir)).map((name) => readFile(join(dir, name), 'utf8')))).some((text) =>
    text.includes(`"n":${n},`),
  )
const lines = async (name = 'ocf.log') =>
  (await readFile(join(dir, name), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('what was logged before and after it was opened is in the file, for its owner only', async () => {
  const { logger, file } = open()
  logger.log.forComponent('early').info('before', { n: 1 })
  await file.start(signal)
  logger.log.warn('after', { level: 'mine', apiKey: 'geheim' })
  logger.log.debug('too little')
  await file.stop()
  await file.stop()
  logger.log.warn('too late')
  expect(await lines()).toEqual([
    expect.objectContaining({ level: 'info', component: 'early', msg: 'before', n: 1 }),
    expect.objectContaining({ level: 'warn', component: 'ocf', msg: 'after', level_: 'mine', apiKey: '[hidden]' }),
  ])
  expect((await lines())[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT/)
  expect((await stat(join(dir, 'ocf.log'))).mode & 0o777).toBe(OWNER_FILE)
})

test('a sentence that comes too often is left out of the file, and its next line says how often', async () => {
  const { logger, file } = open({ monotonic: clock })
  await file.start(signal)
  for (let n = 0; n < 2000; n += 1) logger.log.info('a stream was cut', { peerId: `peer ${n}` })
  logger.log.info('the gateway listens')
  clock.turn(1000)
  logger.log.info('a stream was cut', { peerId: 'the last' })
  await file.stop()
  const written = await lines()
  expect(written.filter(({ msg }) => msg === 'a stream was cut')).toHaveLength(501)
  expect(written.slice(-2)).toEqual([
    expect.objectContaining({ msg: 'the gateway listens' }),
    expect.objectContaining({ msg: 'a stream was cut', peerId: 'the last', leftOut: 1500 }),
  ])
})

test('a full file makes room for the next; five are kept', async () => {
  const { logger, file } = open({ maxSize: '1K' })
  await file.start(signal)
  for (let n = 0; n < 200; n++) {
    logger.log.info('a line of about a hundred bytes', { n, filler: 'x'.repeat(20) })
    if (n % 10 === 0) await until(() => isWritten(n), { what: 'the line is written' })
  }
  await file.stop()
  const names = (await readdir(dir)).sort()
  expect(names).toEqual(['ocf.log', 'ocf.log.1', 'ocf.log.2', 'ocf.log.3', 'ocf.log.4'])
  for (const name of names) expect((await stat(join(dir, name))).mode & 0o077).toBe(0)
})

test('a folder that can’t be written is told once, and logging goes on', async () => {
  await writeFile(dir, 'a file where the folder should be')
  const { logger, file } = open()
  await file.start(signal)
  logger.log.info('one')
  await until(() => logger.ring.lines().some(({ level }) => level === 'warn'), { what: 'the fault is told' })
  logger.log.info('two')
  await file.stop()
  expect(logger.ring.lines().filter(({ level }) => level === 'warn')).toHaveLength(1)
  expect(logger.ring.lines().at(-1)?.message).toBe('two')
})

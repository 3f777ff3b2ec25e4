import { describe, expect, it } from 'vitest'
import type { LogLine } from '#shared/contract/node/logs.js'
import { AppError } from '#shared/errors.js'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { until } from '../../../../fixtures/until.js'
import { cli } from '../../cli-fixture.js'

const line = (seq: number, more: Partial<LogLine> = {}): LogLine => ({
  ...{ seq, atMs: 0, level: 'info', component: 'p2p', message: `line ${seq}`, fields: '', ...more },
})
const lines = (count: number): LogLine[] => Array.from({ length: count }, (_, seq) => line(seq))

/** A node whose log is `log.lines`; it is away while `log.isAway`. */
function withLog(log: { lines: LogLine[]; isAway?: boolean }, options: { tty?: boolean } = {}) {
  const answer = ({ lines: count }: { lines: number }): LogLine[] => {
    if (log.isAway === true) throw new AppError('node_not_running', 'away')
    return log.lines.slice(-count)
  }
  return cli({ answers: { 'logs.recent': answer }, ...options })
}

describe('ocf logs', () => {
  it('prints the last lines as a person reads them, or as JSON', async () => {
    const { run, output } = withLog({ lines: [...lines(99), line(99, { fields: '{"peerId":"a b"}' })] })
    expect(await run('logs', '--lines', '2')).toBe(EXIT.ok)
    expect(output()).toMatch(/^\S+ info {2}p2p {6}line 98\n\S+ info {2}p2p {6}line 99 {2}peerId="a b"\n$/)
    const json = withLog({ lines: lines(60) })
    expect(await json.run('logs', '--json')).toBe(EXIT.ok)
    const printed = json.output().trimEnd().split('\n')
    expect(printed).toHaveLength(50)
    expect(JSON.parse(printed[0]!)).toEqual(line(10))
  })

  it('leaves out what is below a level, and refuses numbers and levels there are not', async () => {
    const { run, output } = withLog({ lines: [line(0), line(1, { level: 'warn' }), line(2, { level: 'error' })] })
    expect(await run('logs', '--level', 'warn')).toBe(EXIT.ok)
    expect(output().trimEnd().split('\n')).toHaveLength(2)
    const { run: again, errors } = withLog({ lines: [] })
    expect(await again('logs', '--level', 'loud', '-n', '0')).toBe(EXIT.usage)
    expect(errors()).toContain('flag --lines: It takes a number from 1 to 1000.')
    expect(errors()).toContain('flag --level: "loud" is no level')
  })

  it('makes control characters in a line harmless', async () => {
    const { run, output } = withLog({ lines: [line(0, { message: 'a\u001b[2J\u202eb' })] })
    await run('logs')
    expect(['\u001b', '\u202e'].some((mark) => output().includes(mark))).toBe(false)
  })

  it('follows the log over a gap and a restart until Ctrl-C', async () => {
    const log: Parameters<typeof withLog>[0] = { lines: lines(3) }
    const { run, output, errors, interrupts } = withLog(log)
    const ended = run('logs', '-f')
    const has = (text: string, from = output) =>
      until(() => Promise.resolve(from().includes(text)), { what: text, everyMs: 10 })
    await has('line 2')
    log.lines = lines(150).slice(120)
    await has('line 149')
    expect(errors()).toContain('(117 lines in between can’t be had any more)')
    expect(output()).not.toContain('line 119')
    log.isAway = true
    await has('The node is not running.', errors)
    Object.assign(log, { lines: [line(0, { message: 'anew' })], isAway: false })
    await has('anew')
    interrupts.forEach((interrupt) => interrupt())
    expect(await ended).toBe(EXIT.interrupted)
    expect(interrupts.size).toBe(0)
    expect(output().match(/line 149/g)).toHaveLength(1)
  })
})

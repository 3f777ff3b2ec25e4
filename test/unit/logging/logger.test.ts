import { EventEmitter } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.js'
import type { LogLevel } from '../../../src-main/logging/index.js'
import { createLogger } from '../../../src-main/logging/logger.js'

const AT = new Date(2026, 0, 2, 12, 1, 2).getTime()

function logger(options: { level?: LogLevel; format?: 'text' | 'json' } = {}) {
  const written: string[] = []
  const made = createLogger({
    level: options.level ?? 'info',
    format: options.format ?? 'text',
    destination: { write: (text) => written.push(text) },
    now: () => AT,
  })
  return { ...made, logger: made, output: () => written.join('') }
}

describe('the text format', () => {
  it('is one line for people', () => {
    const { log, output } = logger()
    log.forComponent('gateway').info('sentence', { key: 'x', port: 8092, name: 'two words' })
    expect(output()).toBe('12:01:02 info  gateway  sentence  key=[hidden] port=8092 name="two words"\n')
  })

  it('shows an error with message, code and cause, and its stack only at debug', () => {
    const error = new AppError('port_in_use', 'Port 1 is used.', { cause: new Error('EADDRINUSE') })
    const quiet = logger()
    quiet.log.error('could not listen', { error })
    expect(quiet.output()).toContain('error="Port 1 is used. (port_in_use): EADDRINUSE"')
    expect(quiet.output().split('\n')).toHaveLength(2)
    const chatty = logger({ level: 'debug' })
    chatty.log.error('could not listen', { error })
    expect(chatty.output()).toMatch(/\n {4}AppError: Port 1 is used\.\n {8}at /)
  })

  it("does not let a peer's text forge a line, colour the terminal or turn the writing direction", () => {
    const { log, output } = logger()
    const hostile = 'x\n12:00:00 error ocf  forged\u001b[2J\u009b31m\u202e'
    log.warn(hostile, { peer: hostile, [hostile]: 1, error: new Error(hostile) })
    expect(output().trimEnd()).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
  })
})

describe('the JSON format', () => {
  it('is one JSON object a line with time, level, component and fields', () => {
    const { log, output } = logger({ format: 'json' })
    log.forComponent('p2p').warn('dial failed', { peer: 'a', error: new Error('no route'), level: 3 })
    expect(JSON.parse(output())).toEqual({
      level: 'warn',
      time: new Date(AT).toISOString(),
      component: 'p2p',
      peer: 'a',
      error: { name: 'Error', message: 'no route' },
      level_: 3,
      msg: 'dial failed',
    })
  })

  it('takes whatever is in a field', () => {
    const { log, output } = logger({ format: 'json' })
    const loop: Record<string, unknown> = {
      big: 1n,
      nan: Number.NaN,
      bytes: new Uint8Array(3),
      map: new Map([['a', 1]]),
    }
    loop.self = loop
    log.info('odd', {
      loop,
      list: Array.from({ length: 200 }, (_, i) => i),
      url: new URL('http://a/?token=abc'),
      none: undefined,
    })
    const line = JSON.parse(output())
    expect(line.loop).toMatchObject({ big: '1', nan: 'NaN', bytes: '[3 bytes]', map: { a: 1 } })
    expect(line.list).toHaveLength(51)
    expect(line.url).toBe('http://a/?token=[hidden]')
    expect(line).not.toHaveProperty('none')
  })
})

describe('levels', () => {
  it('drop what is less important, in output and ring, and can change while running', () => {
    const { log, logger: made, ring, output } = logger({ level: 'warn' })
    const child = log.forComponent('early')
    child.info('unseen')
    expect(child.isEnabled?.('info')).toBe(false)
    made.setLevel('info')
    child.info('seen')
    expect(output()).toContain('seen')
    expect(ring.lines().map((line) => line.message)).toEqual(['seen'])
  })

  it('are off altogether when silent', () => {
    const { log, output } = logger({ level: 'silent' })
    log.error('unseen')
    expect(output()).toBe('')
  })
})

describe('redaction', () => {
  const SECRETS = ['token', 'authorization', 'cookie', 'key', 'apiKey', 'password', 'prompt', 'messages', 'content']
  const spelling = fc
    .constantFrom(...SECRETS)
    .chain((name) => fc.constantFrom(name, name.toUpperCase(), `x_${name}`.slice(2)))

  it.each(['text', 'json'] as const)('never prints the value of a secret name at any depth (%s)', (format) => {
    fc.assert(
      fc.property(spelling, fc.integer({ min: 0, max: 7 }), fc.boolean(), (name, depth, inList) => {
        const { log, ring, output } = logger({ format, level: 'trace' })
        let field: unknown = { [name]: 'SeCrEt-VaLuE' }
        for (let i = 0; i < depth; i++) field = inList ? [field] : { nested: field }
        log.info('a request', { field, [name]: 'SeCrEt-VaLuE' })
        expect(output() + JSON.stringify(ring.lines())).not.toContain('SeCrEt-VaLuE')
      }),
    )
  })

  it('never prints tokens in URLs and headers inside texts, messages and errors', () => {
    const { log, ring, output } = logger({ level: 'trace' })
    log.info('GET http://127.0.0.1:1/?a=1&token=SeCrEt&b=2', {
      url: 'ws://h/feed#token=SeCrEt',
      header: 'Bearer SeCrEt.abc',
      protocols: 'ocf, ocf.token.SeCrEt',
      error: new Error('401 for http://h/?token=SeCrEt', { cause: new Error('token=SeCrEt') }),
    })
    const everything = output() + JSON.stringify(ring.lines())
    expect(everything).not.toContain('SeCrEt')
    expect(everything).toContain('token=[hidden]&b=2')
  })
})

describe('the destination', () => {
  it('may break: the ring goes on and nothing is thrown', () => {
    const broken = Object.assign(new EventEmitter(), {
      written: [] as string[],
      write: (text: string) => broken.written.push(text),
    })
    const { log, ring } = createLogger({ level: 'info', format: 'text', destination: broken })
    broken.emit('error', new Error('EPIPE'))
    log.info('after the pipe broke')
    expect(broken.written).toEqual([])
    expect(ring.lines()).toHaveLength(1)
  })

  it('gets nothing after close, and its listener is gone', () => {
    const sink = Object.assign(new EventEmitter(), {
      written: [] as string[],
      write: (text: string) => sink.written.push(text),
    })
    const made = createLogger({ level: 'info', format: 'json', destination: sink })
    made.close()
    made.close()
    made.log.info('late')
    expect(sink.written).toEqual([])
    expect(sink.listenerCount('error')).toBe(0)
  })
})

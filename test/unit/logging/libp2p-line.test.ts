import { describe, expect, it } from 'vitest'
import type { LogLevel } from '../../../src-main/logging/index.js'
import { formatLibp2pLine } from '../../../src-main/logging/libp2p-line.js'
import { libp2pLogger } from '../../../src-main/logging/logger.js'
import { createLogger } from '../../../src-main/logging/logger.js'

function libp2p(level: LogLevel, options = {}) {
  const logger = createLogger({ level, format: 'text', destination: { write: () => undefined } })
  const component = libp2pLogger(logger.log, options).forComponent('libp2p:tcp')
  const lines = () => logger.ring.lines().map((line) => `${line.level} ${line.component} ${line.message}`)
  return { logger, component, lines }
}

const untouchable = {
  toString() {
    throw new Error('formatted although the level is off')
  },
}

describe('the log of libp2p', () => {
  it('becomes debug, trace and error lines under its component and scope', () => {
    const { component, lines } = libp2p('trace')
    component('dialled %s', 'x')
    component.trace('frame %d', 3)
    component.newScope('listener').error('failed - %e', new Error('no route'))
    expect(lines()).toEqual([
      'debug libp2p:tcp dialled x',
      'trace libp2p:tcp frame 3',
      'error libp2p:tcp:listener failed - no route',
    ])
  })

  it('can have its errors at another level', () => {
    const { component, lines } = libp2p('debug', { errorsAs: 'debug' })
    component.error('x')
    expect(lines()).toEqual(['debug libp2p:tcp x'])
  })

  it('formats nothing while the level is off, and follows the level', () => {
    const { component, logger, lines } = libp2p('info')
    component('to %a', untouchable)
    component.trace('to %a', untouchable)
    expect(component.enabled).toBe(false)
    logger.setLevel('debug')
    expect(component.enabled).toBe(true)
    component('now')
    expect(lines()).toEqual(['debug libp2p:tcp now'])
  })
})

describe('printf lines', () => {
  it.each([
    ['%p at %a', [{ toString: () => '12D3K' }, { toString: () => '/ip4/1.2.3.4' }], '12D3K at /ip4/1.2.3.4'],
    ['%b', [new Uint8Array([1, 255])], '01ff'],
    ['%o and %j', [{ a: 1n }, [1, 2]], '{"a":"1"} and [1,2]'],
    ['100%% %s', ['sure', 'more', 3], '100% sure more 3'],
    ['missing %s', [], 'missing %s'],
    ['nothing %s', [undefined], 'nothing undefined'],
    [new Error('alone'), [], 'alone'],
  ])('%s', (formatter, args, expected) => {
    expect(formatLibp2pLine(formatter, args)).toBe(expected)
  })
})

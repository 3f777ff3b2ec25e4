import { describe, expect, it } from 'vitest'
import type { CallName } from '#shared/contract/index.js'
import type { Nearby, Pairing } from '#shared/contract/people/pairing.js'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

const PEER = '12D3KooWGzBZZbLs1hJ2DL4J4yY2YVh9vH2cVYpPZ2UVsWjXGn3K'
const ANN = '12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba'
const stranger: Nearby = {
  ...{
    peerId: PEER,
    name: null,
    address: '192.168.7.2',
    sinceMs: Date.now() - 90_000,
    connected: true,
    trusted: false,
  },
}
const ann: Nearby = { ...stranger, peerId: ANN, name: 'Ann', address: '192.168.7.3', trusted: true }
const comparing: Pairing = {
  ...{ peerId: PEER, name: null, address: '192.168.7.2', direction: 'outgoing', state: 'compare', code: '123 456' },
  ...{ theyConfirmed: false, sinceMs: 1, untilMs: 2, ending: null, sentence: null },
}
const trusted: Pairing = {
  ...{ ...comparing, state: 'over', code: null, untilMs: null, ending: 'trusted', name: 'Bob' },
  sentence: 'You and Bob trust each other now.',
}
const refused: Pairing = {
  ...trusted,
  ending: 'they-refused',
  sentence: '…jXGn3K did not confirm. Nothing was changed.',
}

/** A running node whose pairings go from one state to the next with each look at them; the last stays. */
function node(states: Pairing[][], options: { answer?: string; nearby?: Nearby[] } = {}) {
  const calls: [string, unknown][] = []
  const shell = cli({ tty: false })
  const { answer, nearby = [stranger, ann] } = options
  const questions: string[] = []
  if ('answer' in options) {
    shell.io.ask = (question) => {
      questions.push(question)
      return Promise.resolve(answer)
    }
  }
  shell.client.call = ((name: CallName, input: unknown) => {
    calls.push([name, input])
    if (name === 'people.nearby') return Promise.resolve(nearby)
    if (name === 'people.refusePairing') return Promise.resolve({ ...trusted, ending: 'refused', sentence: 'Refused.' })
    if (name !== 'people.pairings') return Promise.resolve(comparing)
    return Promise.resolve(states.length > 1 ? states.shift() : (states[0] ?? []))
  }) as typeof shell.client.call
  const made = (): [string, unknown][] =>
    calls.filter(([name]) => name !== 'people.pairings' && name !== 'people.nearby')
  return { ...shell, calls: made, questions }
}

describe('ocf pair', () => {
  it('ocf pair lists who is nearby, and first who asks, with the code', async () => {
    const { run, output } = node([[{ ...comparing, direction: 'incoming' }]])
    expect(await run('pair')).toBe(EXIT.ok)
    expect(output()).toMatch(/^Unknown …jXGn3K at 192\.168\.7\.2 asks to pair and shows 123 456: `ocf pair jXGn3K`\.\n/)
    expect(output()).toMatch(/unknown +12D3KooWGz\S+ +192\.168\.7\.2 +for 1 min/)
    expect(output()).toMatch(/Ann +12D3KooWRn\S+ +192\.168\.7\.3 +trusted, for 1 min/)
  })

  it('ocf pair says what to do where no one is nearby', async () => {
    const { run, output } = node([[]], { nearby: [] })
    expect(await run('pair')).toBe(EXIT.ok)
    expect(output()).toContain('No other node was found on this local network.')
    expect(output()).toContain('ocf invite')
  })

  it('ocf pair --json prints who waits and who is nearby for scripts', async () => {
    const { run, output } = node([[{ ...comparing, direction: 'incoming' }]])
    await run('pair', '--json')
    expect(JSON.parse(output())).toMatchObject({ waiting: [{ code: '123 456' }], nearby: [{ peerId: PEER }, {}] })
  })

  it.each([['jXGn3K'], ['…jXGn3K'], [PEER], ['192.168.7.2']])('ocf pair %s asks that node', async (who) => {
    const { run, output, errors, calls } = node([[], [{ ...comparing, state: 'reaching', code: null }], [comparing]])
    expect(await run('pair', who)).toBe(EXIT.ok)
    expect(calls()).toEqual([['people.pair', { peer: PEER }]])
    expect(output()).toBe('Unknown …jXGn3K at 192.168.7.2: 123 456\n')
    expect(errors()).toContain('`ocf pair jXGn3K --yes 123456`')
    expect(errors()).toContain('`ocf pair jXGn3K --refuse`')
  })

  it('ocf pair with a name that is not nearby, or that several have, asks none of them', async () => {
    const { run, errors, calls } = node([[]], { nearby: [ann, { ...ann, peerId: PEER }] })
    expect(await run('pair', 'Tom')).toBe(EXIT.failed)
    expect(errors()).toContain('No node nearby is "Tom"')
    expect(await run('pair', 'ann')).toBe(EXIT.failed)
    expect(errors()).toContain('More than one node nearby is "ann"')
    expect(calls()).toEqual([])
  })

  it('ocf pair asks the person, and confirms the code that was shown', async () => {
    const { run, output, errors, questions, calls } = node([[], [comparing], [comparing], [comparing], [trusted]], {
      answer: 'y',
    })
    expect(await run('pair', PEER)).toBe(EXIT.ok)
    expect(questions).toEqual(['Do both screens show 123 456? [y/n] '])
    expect(calls()).toContainEqual(['people.confirmPairing', { peer: PEER, code: '123 456' }])
    expect(errors()).toContain('Waiting for the other person')
    expect(output()).toContain('You and Bob trust each other now.')
  })

  it.each([
    ['n', true],
    ['NO', true],
    ['', false],
    [undefined, false],
    ['what?', false],
  ])('ocf pair confirms nothing for the answer %s', async (answer, differ) => {
    const { run, calls } = node([[], [comparing], [comparing], [refused]], { answer })
    expect(await run('pair', PEER)).toBe(EXIT.failed)
    expect(calls()).toContainEqual(['people.refusePairing', { peer: PEER, differ }])
    expect(calls().map(([name]) => name)).not.toContain('people.confirmPairing')
  })

  it('ocf pair takes its question back where the other side ends it first', async () => {
    const { run, io, errors, calls } = node([[], [comparing], [refused]])
    io.ask = (_question, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
    expect(await run('pair', PEER)).toBe(EXIT.failed)
    expect(errors()).toContain('did not confirm')
    expect(calls().map(([name]) => name)).toEqual(['people.pair'])
  })

  it('ocf pair --yes CODE confirms that code and waits for the other person', async () => {
    const { run, output, calls } = node([[comparing], [comparing], [trusted]])
    expect(await run('pair', 'jXGn3K', '--yes', '123456')).toBe(EXIT.ok)
    expect(calls()).toEqual([['people.confirmPairing', { peer: PEER, code: '123456' }]])
    expect(output()).toBe('You and Bob trust each other now.\n')
  })

  it('ocf pair --refuse ends it', async () => {
    const { run, output, calls } = node([[comparing]])
    expect(await run('pair', 'jXGn3K', '--refuse')).toBe(EXIT.ok)
    expect(calls()).toEqual([['people.refusePairing', { peer: PEER }]])
    expect(output()).toBe('Refused.\n')
  })

  it('ocf pair refuses --yes without a code, and with --refuse', async () => {
    const { run, calls } = node([[comparing]])
    expect(await run('pair', PEER, '--yes')).toBe(EXIT.usage)
    expect(await run('pair', PEER, '--refuse', '--yes', '123456')).toBe(EXIT.usage)
    expect(calls()).toEqual([])
  })
})

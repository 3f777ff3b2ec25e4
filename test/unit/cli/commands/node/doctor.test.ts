import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

describe('ocf doctor', () => {
  const fine = { id: 'peers', state: 'ok', fact: '2 peers connected.', meaning: 'It works.', fix: '' } as const
  const warning = { ...fine, id: 'relays', state: 'warn', fact: 'No place at a relay.' } as const
  const broken = { ...fine, id: 'clock', state: 'bad', fact: 'The clock is wrong.', fix: 'Set it.' } as const

  it.each([
    [[fine], EXIT.ok, 'Nothing is wrong.'],
    [[fine, warning], EXIT.ok, 'It works, with 1 warning (WARN).'],
    [[broken, fine], EXIT.failed, 'Broken: The clock is wrong.'],
    [[broken, broken, broken], EXIT.failed, 'Broken: The clock is wrong. 2 more things are broken, see above.'],
  ])('ocf doctor ends with a verdict (%#)', async (checks, code, verdict) => {
    const { run, output } = cli({ answers: { 'doctor.run': { atMs: 0, peerId: 'p', checks } } })
    expect(await run('doctor')).toBe(code)
    expect(output().trimEnd().split('\n').at(-1)).toBe(verdict)
  })

  it.each([
    [[fine, warning], 'The path to this peer works.'],
    [[fine, broken, broken], 'The path breaks here: The clock is wrong.'],
  ])('ocf doctor PEER says where the path breaks (%#)', async (checks, verdict) => {
    const { run, output } = cli({ answers: { 'doctor.peer': { atMs: 0, peerId: 'p', checks } } })
    await run('doctor', '12D3KooWGzBZZbLs1hJ2DL4J4yY2YVh9vH2cVYpPZ2UVsWjXGn3K')
    expect(output().trimEnd().split('\n').at(-1)).toBe(verdict)
  })
})

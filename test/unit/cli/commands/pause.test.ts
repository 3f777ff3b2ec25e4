import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../../src-main/cli/io.js'
import { createFakeSharing } from '../../../contract/fake-sharing.js'
import { cli } from '../cli-fixture.js'

const sharing = createFakeSharing()

describe('ocf pause', () => {
  it.each([[[]], [['until-resume']], [['15m']], [['1h', '--cut-after', '10s']]])('takes %j', async (args) => {
    const { run, output } = cli({ answers: { 'pause.set': sharing.pause.state() } })
    expect(await run('pause', ...args)).toBe(EXIT.ok)
    expect(output()).toContain('Sharing is paused: you paused it until you resume. 1 still running, which will finish.')
  })

  it('says until when it lasts and when answers are cut, on this computer’s clock', async () => {
    const untilMs = new Date().setHours(23, 59, 0, 0)
    const later = new Date(2100, 0, 2, 7, 5).getTime()
    const reasons = [untilMs, later].map((ms) => ({ cause: 'manual', sentence: 'you paused it', untilMs: ms }))
    const cutAtMs = Date.now() + 125_000
    const { run, output } = cli({
      answers: { 'pause.set': { ...sharing.pause.state(), reasons, running: 1, cutAtMs } },
    })
    await run('pause', '1h')
    expect(output()).toMatch(
      /^Sharing is paused: you paused it, until 23:59; you paused it, until 2100-01-02 07:05\. 1 still running, cut in 2 min [0-5] s\.\n$/,
    )
  })

  it.each([[['soon']], [['0s']], [['15m', '--cut-after', 'now']]])('refuses %j', async (args) => {
    const { run } = cli({ answers: { 'pause.set': sharing.pause.state() } })
    expect(await run('pause', ...args)).toBe(EXIT.usage)
  })
})

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

  it.each([[['soon']], [['0s']], [['15m', '--cut-after', 'now']]])('refuses %j', async (args) => {
    const { run } = cli({ answers: { 'pause.set': sharing.pause.state() } })
    expect(await run('pause', ...args)).toBe(EXIT.usage)
  })
})

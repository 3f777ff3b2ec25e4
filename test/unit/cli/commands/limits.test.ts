import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../../src-main/cli/io.js'
import { createFakeSharing } from '../../../contract/fake-sharing.js'
import { cli } from '../cli-fixture.js'

const sharing = createFakeSharing()

const SETTINGS = ['limits.concurrent', 'limits.queue', 'pause.on-battery', 'port'].map((name) => ({
  ...{ name, group: 'Limits', value: '4', origin: 'default', originLabel: 'default' },
  ...{ help: '', cost: '', restart: false },
}))

describe('ocf limits', () => {
  const answers = {
    'settings.list': SETTINGS,
    'settings.set': { restartNeeded: false },
    'limits.get': sharing.admission.usage(),
    'pause.get': sharing.pause.state(),
  }

  it('shows the limits, their use and the pause', async () => {
    const { run, output } = cli({ answers })
    expect(await run('limits', 'concurrent=6', 'pause.on-battery=true')).toBe(EXIT.ok)
    expect(output()).toContain('1 of 4 slots used by 1 peer,')
    expect(output()).toContain('alice: 1 running, 0 waiting, 320 tokens today')
    expect(output()).toContain('limits.concurrent')
    expect(output()).not.toMatch(/^port/m)
  })

  it('says that peers get no slot where there is none, also after a resume', async () => {
    const usage = sharing.admission.usage()
    const open = { ...sharing.pause.state(), paused: false, reasons: [], running: 0 }
    const none = { ...usage, slots: { used: 0, total: 0 }, limits: { ...usage.limits, concurrent: 0 } }
    const closed = cli({ answers: { ...answers, 'limits.get': none, 'pause.get': open, 'pause.resume': open } })
    for (const command of ['limits', 'resume']) expect(await closed.run(command)).toBe(EXIT.ok)
    expect(closed.output().match(/Peers get no slot on this machine, because limits\.concurrent is 0/g)).toHaveLength(2)
    expect(closed.output()).not.toContain('Sharing is on')

    const { run, output } = cli({ answers: { ...answers, 'pause.get': open, 'pause.resume': open } })
    for (const command of ['limits', 'resume']) expect(await run(command)).toBe(EXIT.ok)
    expect(output().match(/Sharing is on: other peers may use this machine/g)).toHaveLength(2)
  })

  it('calls a limit unlimited that 0 switches off, and no other', async () => {
    const settings = ['limits.requests-per-minute', 'limits.concurrent'].map((name) => ({
      ...SETTINGS[0],
      name,
      value: '0',
    }))
    const { run, output } = cli({ answers: { ...answers, 'settings.list': settings } })
    await run('limits')
    expect(output()).toMatch(/limits\.requests-per-minute +unlimited /)
    expect(output()).toMatch(/limits\.concurrent +0 /)
  })

  it('refuses what is no limit', async () => {
    const { run, errors } = cli({ answers })
    expect(await run('limits', 'port=1')).toBe(EXIT.usage)
    expect(errors()).toContain('There is no limit "port"')
    expect(await run('limits', 'concurrent')).toBe(EXIT.usage)
  })
})

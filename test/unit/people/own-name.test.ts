import { describe, expect, test } from 'vitest'
import type { LiveSettings } from '../../../src-main/config/index.js'
import { OwnNameSetting } from '../../../src-main/people/own-name.js'

const settings = (name: string, origin: string) => {
  const saved: (string | null)[] = []
  const live = {
    current: { name },
    source: {
      list: () => [{ name: 'name', origin }],
      save: (_: string, value: string | null) => {
        saved.push(value)
        return Promise.resolve({ restartNeeded: false })
      },
    },
  } as unknown as LiveSettings
  return { live, saved }
}

describe('what a node calls itself', () => {
  test.each([
    [{ user: 'tom', host: 'box' }, 'tom'],
    [{ user: 'ann.smith', host: 'box' }, 'ann'],
    [{ user: 'root', host: 'workshop.example.org' }, 'workshop'],
    [{ user: '', host: 'box\u202e' }, 'box'],
  ])('is, unless it is chosen, the first name of the user or the computer: %j', (system, name) => {
    expect(new OwnNameSetting(settings('', 'default').live, system).current).toEqual({
      ...{ name, isDefault: true, editable: true },
    })
  })

  test('is nothing where an empty name was chosen, and cleaned where one was', () => {
    const system = { user: 'tom', host: 'box' }
    expect(new OwnNameSetting(settings('', 'file').live, system).current.name).toBe('')
    expect(new OwnNameSetting(settings(' A\u200bnn ', 'file').live, system).current.name).toBe('Ann')
    expect(new OwnNameSetting(settings('x', 'flag').live, system).current.editable).toBe(false)
  })

  test('is stored cleaned; null takes it out of the settings', async () => {
    const { live, saved } = settings('', 'default')
    const own = new OwnNameSetting(live, { user: 'tom', host: 'box' })
    await own.set(' Tom\n')
    await own.set('')
    await own.set(null)
    expect(saved).toEqual(['Tom', '', null])
  })
})

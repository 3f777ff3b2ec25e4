import { expect, test } from 'vitest'
import { openPalette } from '../fake-dashboard.js'
import { startWalk } from './walk.js'

const walk = startWalk()

test('the settings scroll in one place, and the rail and the bar stay where they are', async () => {
  for (const hash of ['#/settings', '#/settings/~advanced']) {
    await walk.open(hash)
    for (const [width, height] of [
      [1280, 800],
      [900, 600],
    ] as const) {
      await walk.page.setViewportSize({ width, height })
      expect(await walk.page.evaluate(() => document.documentElement.scrollHeight), hash).toBe(height)
    }
  }
  await walk.page.setViewportSize({ width: 1280, height: 800 })
})

test('a link to a setting lands on it with the focus in its control, on the short page and among all keys', async () => {
  const isFocusedInView = (): Promise<string | null> =>
    walk.page.evaluate(() => {
      const element = document.activeElement
      const box = element?.getBoundingClientRect()
      if (element === null || box === undefined || box.top < 56 || box.bottom > innerHeight) return null
      return element.closest('[data-setting]')?.getAttribute('data-setting') ?? element.getAttribute('aria-label')
    })
  for (const name of ['pause.on-battery', 'limits.tokens-per-day', 'use.reach', 'pause.programs']) {
    await walk.open(`#/settings/${name}`)
    await expect.poll(isFocusedInView).toBe(name)
  }
  await walk.open('#/settings/log-level')
  await expect.poll(isFocusedInView).toBe('Change log-level')
  // From another page, too, and with the palette.
  await walk.open('#/share')
  // Once with settings that are still to be read, once with those that are known.
  for (const from of ['#/share', '#/home']) {
    await walk.dashboard.goTo(from)
    await openPalette(walk.page)
    await walk.page.keyboard.type('while something else uses the gpu')
    await walk.page.getByRole('listbox').getByRole('option').first().waitFor()
    await walk.page.keyboard.press('Enter')
    await expect.poll(isFocusedInView).toBe('pause.gpu-busy')
  }
})

test('settings that people change have names, switches and sliders with units; the keys are under Advanced', async () => {
  await walk.open('#/settings')
  await walk.dashboard.look('settings')
  expect(await walk.page.getByText('limits.concurrent', { exact: true }).count()).toBe(0)
  await walk.page.getByRole('switch', { name: 'Pause on battery' }).check()
  await expect.poll(() => walk.saved.get('pause.on-battery')).toBe('true')
  const slots = walk.page.getByRole('slider', { name: 'Requests from peers at the same time' })
  expect(await slots.getAttribute('aria-valuetext')).toBe('4 at once')
  await slots.focus()
  await walk.page.keyboard.press('ArrowRight')
  await expect.poll(() => walk.saved.get('limits.concurrent')).toBe('6')
  await walk.page.getByRole('combobox', { name: 'Who may answer my requests' }).selectOption('Only people I trust')
  await expect.poll(() => walk.saved.get('use.reach')).toBe('trusted')
  const programs = walk.page.getByRole('textbox', { name: 'Pause while one of these programs runs' })
  await programs.fill('blender')
  await walk.page.keyboard.press('Enter')
  await expect.poll(() => walk.saved.get('pause.programs')).toBe('blender')
  await walk.page.getByRole('link', { name: 'Advanced' }).click()
  await walk.page.getByRole('searchbox', { name: 'Search settings' }).fill('same time')
  await walk.page.getByText('limits.concurrent', { exact: true }).waitFor()
  expect(await walk.page.getByText('mdns', { exact: true }).count()).toBe(0)
})

test('the hours for sharing are painted on a week, with the pointer and with the keyboard', async () => {
  await walk.open('#/settings/pause.schedule')
  const cell = (name: string) => walk.page.getByRole('switch', { name, exact: true })
  await walk.page.getByRole('button', { name: 'Clear' }).click()
  await walk.page.getByText('Choose at least one hour.', { exact: false }).waitFor()
  const [from, to] = [await cell('Mon 18:00 to 19:00').boundingBox(), await cell('Fri 23:00 to 24:00').boundingBox()]
  await walk.page.mouse.move(from!.x + 4, from!.y + 4)
  await walk.page.mouse.down()
  await walk.page.mouse.move(to!.x + 4, to!.y + 4, { steps: 6 })
  await walk.page.mouse.up()
  await walk.page.getByText('Mon-Fri 18:00-24:00', { exact: true }).waitFor()
  await cell('Sat 0:00 to 1:00').focus()
  await walk.page.keyboard.press('Space')
  await walk.page.keyboard.press('Shift+ArrowRight')
  await walk.page.getByText('Mon-Fri 18:00-24:00; Sat 00:00-02:00', { exact: true }).waitFor()
  await walk.page.getByRole('button', { name: 'Save hours' }).click()
  await expect.poll(() => walk.saved.get('pause.schedule')).toBe('Mon-Fri 18:00-24:00; Sat 00:00-02:00')
})

test('a switch stays where it was put while the node confirms it, and goes back where the node refuses', async () => {
  const { settings } = walk.node.needs
  const save = settings.save.bind(settings)
  let refuse: (reason: Error) => void = () => undefined
  settings.save = () => new Promise((_resolve, reject) => (refuse = reject))
  await walk.open('#/settings')
  const mdns = walk.page.getByRole('switch', { name: 'Find computers on the local network' })
  await mdns.click()
  expect(await mdns.isChecked()).toBe(false)
  refuse(new Error('the disk is full'))
  await expect.poll(() => mdns.isChecked()).toBe(true)
  await walk.page.getByRole('alert').waitFor()
  settings.save = save
  walk.node.errors.length = 0
  walk.dashboard.complaints.length = 0
})

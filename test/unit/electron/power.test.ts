import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { createShellFacts, watchSleep } from '../../../src-main/electron/power.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

const power = () => Object.assign(new EventEmitter(), { getSystemIdleTime: () => 42, isOnBatteryPower: () => true })

test('the node is told when the computer woke up, until it is let go', () => {
  const source = power()
  const wakesUp = vi.fn(() => Promise.resolve())
  const stop = watchSleep({ power: source, node: { wakesUp }, log: createRecordingLog() })
  source.emit('suspend')
  expect(wakesUp).not.toHaveBeenCalled()
  source.emit('resume')
  expect(wakesUp).toHaveBeenCalledOnce()
  stop()
  source.emit('resume')
  expect(wakesUp).toHaveBeenCalledOnce()
  expect(source.eventNames()).toEqual([])
})

test('the pause rules learn from the shell whether the computer is used and where its power comes from', async () => {
  const facts = createShellFacts(power(), 'x11')
  await expect(facts.userIdleMs()).resolves.toEqual({ known: true, value: 42_000 })
  await expect(facts.onBattery()).resolves.toEqual({ known: true, value: true })
})

test('under Wayland nobody knows whether the computer is used: it must not look used for ever', async () => {
  await expect(createShellFacts(power(), 'wayland').userIdleMs()).resolves.toMatchObject({ known: false })
})

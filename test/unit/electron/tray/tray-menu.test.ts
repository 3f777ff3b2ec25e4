import { expect, test, vi } from 'vitest'
import type { Status } from '#shared/contract/node/node.js'
import type { PauseState } from '#shared/contract/sharing/pause.js'
import { trayMenu, trayState } from '../../../../src-main/electron/tray/tray-menu.js'

const OPEN: PauseState = { paused: false, reasons: [], running: 0, cutAtMs: null, rules: [] }
const WHY = { sentence: 'you are using this computer', untilMs: null }
const paused = (cause: 'manual' | 'user-active', sentence: string): PauseState => ({
  ...OPEN,
  paused: true,
  reasons: [{ cause, sentence, untilMs: null }],
})
const status = (kind: Status['state']['kind'], path: Status['state']['path'], peers: number, shared = 0): Status => ({
  ...{
    peerId: '',
    version: '',
    mode: 'node',
    startedAtMs: 0,
    gatewayUrl: null,
    multiaddrs: [],
    paths: [],
    knownPeers: 0,
  },
  ...{ models: { available: 0, shared }, requestsToday: { in: 0, out: 0, local: 0, unanswered: 0 } },
  peers,
  state: { kind, path, ...(kind === 'paused' ? { pause: WHY } : {}) },
})
const actions = () => ({ open: vi.fn(), quit: vi.fn(), pause: vi.fn(), resume: vi.fn() })
const choose = (menu: ReturnType<typeof trayMenu>, label: string): void => {
  const item = menu.find((entry) => entry.label === label)
  if (item?.click === undefined) throw new Error(`There is no entry ${label}.`)
  Reflect.apply(item.click, undefined, [])
}

test.each([
  [status('sharing', 'direct', 3, 2), 'sharing', 'Sharing 2 models · direct · 3 peers'],
  [status('sharing', 'relayed', 1, 1), 'sharing', 'Sharing 1 model · through a relay · 1 peer'],
  [status('connected', 'direct', 1), 'connected', 'Connected · direct · 1 peer'],
  [status('alone', null, 0), 'alone', 'Not connected to any peer'],
  [status('standalone', null, 0), 'connected', 'This computer only'],
  [undefined, 'alone', 'Starting'],
  [status('paused', 'direct', 3, 2), 'paused', 'Paused: you are using this computer'],
] as const)('the tray shows the state of the pill (%#)', (state, icon, sentence) => {
  expect(trayState(state)).toEqual({ icon, sentence })
})

test('the menu pauses for a while or until resumed', () => {
  const does = actions()
  const menu = trayMenu({ icon: 'sharing', sentence: 'x' }, OPEN, does)
  choose(menu, 'Pause 15 minutes')
  choose(menu, 'Pause 1 hour')
  choose(menu, 'Pause until I resume')
  expect(does.pause.mock.calls).toEqual([[900_000], [3_600_000], [null]])
})

test('a pause by hand can be ended, and one by rule can be made longer by hand', () => {
  const does = actions()
  choose(trayMenu({ icon: 'paused', sentence: 'x' }, paused('manual', 'x'), does), 'Resume sharing')
  expect(does.resume).toHaveBeenCalledOnce()
  const byRule = trayMenu({ icon: 'paused', sentence: 'x' }, paused('user-active', 'x'), does)
  expect(byRule.map(({ label }) => label)).toContain('Pause until I resume')
})

test('where a node can’t pause the menu does not offer it', () => {
  const menu = trayMenu({ icon: 'connected', sentence: 'Connected' }, undefined, actions())
  expect(menu.map(({ label }) => label)).toEqual(['Connected', undefined, 'Open', 'Quit'])
})

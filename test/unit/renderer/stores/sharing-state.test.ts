import { expect, test } from 'vitest'
import type { PauseState } from '#shared/contract/sharing/pause.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { sharingState } from '../../../../src-renderer/stores/sharing-state.js'

const share = (name: string, status: ShareView['status'], visibility: 'me' | 'everyone' = 'everyone') =>
  ({
    name,
    status,
    models: ['m'],
    visibility,
    choices: [{ model: 'm', ticked: true, visibility }],
  }) as unknown as ShareView
const state = (change: Partial<Parameters<typeof sharingState>[0]>) =>
  sharingState({ shares: [share('Ollama', 'connected')], pause: undefined, usage: undefined, others: [], ...change })
const usage = (used: number, total: number, waiting: number) =>
  ({ slots: { used, total }, queue: { used: waiting, total: 2 } }) as Parameters<typeof sharingState>[0]['usage']

test('of all that is true of sharing one thing is said, the one that decides', () => {
  expect(state({ shares: [] })).toEqual({ kind: 'nothing' })
  expect(state({ shares: [share('Ollama', 'connected', 'me')] })).toEqual({ kind: 'nothing' })
  expect(state({})).toEqual({ kind: 'open', down: [] })
  expect(state({ shares: [share('Ollama', 'down')] })).toEqual({ kind: 'down', servers: ['Ollama'] })
  expect(state({ shares: [share('Ollama', 'down'), share('vLLM', 'connected')] })).toEqual({
    kind: 'open',
    down: ['Ollama'],
  })
  expect(state({ shares: [share('Ollama', 'starting')] })).toEqual({ kind: 'starting', servers: ['Ollama'] })
  expect(state({ usage: usage(0, 0, 0) })).toEqual({ kind: 'closed' })
  expect(state({ usage: usage(4, 4, 2) })).toEqual({ kind: 'full', slots: 4 })
  expect(state({ usage: usage(4, 4, 1) })).toEqual({ kind: 'open', down: [] })
  const others = [{ name: 'llm', status: 'connected' as const }]
  expect(state({ shares: [], others })).toEqual({ kind: 'open', down: [] })
})

test('a pause ends when its last reason does, and has no known end where one has none', () => {
  const pause = (ends: (number | null)[]): PauseState => ({
    ...{ paused: true, running: 2, cutAtMs: null, rules: [] },
    reasons: ends.map((untilMs) => ({ cause: 'schedule' as const, sentence: 'why', untilMs })),
  })
  expect(state({ pause: pause([5, 9]), shares: [share('Ollama', 'down')] })).toEqual({
    ...{ kind: 'paused', sentence: 'why', untilMs: 9, byHand: false, running: 2 },
  })
  expect(state({ pause: pause([5, null]) })).toMatchObject({ untilMs: null })
})

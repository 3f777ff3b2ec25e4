import { expect, test } from 'vitest'
import { type LocalService, modelsForEveryone, type PeerClass } from '../../../../src-main/services/index.js'

const service = (change: Partial<LocalService>): LocalService =>
  ({ name: 'llm', published: true, status: 'connected', identityGroups: [], ...change }) as LocalService

function shared(services: readonly LocalService[]) {
  const asked: PeerClass[] = []
  const listeners = new Set<() => void>()
  const source = {
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const pause = { isPaused: false, ...source }
  const registry = {
    sharedWith(peers: PeerClass) {
      asked.push(peers)
      return services
    },
    ...source,
  }
  return { asked, listeners, pause, models: modelsForEveryone({ registry, pause }) }
}

test('models for everyone are those that a stranger sees of model servers that answer, by name alone', () => {
  const { models, asked } = shared([
    service({ identityGroups: ['model=a', 'model=*', 'all', 'lang=en', 'api=ollama'] }),
    service({ identityGroups: ['model=away'], status: 'disconnected' as LocalService['status'] }),
    service({ identityGroups: ['model=kept'], published: false }),
    service({ name: 'transcriber', identityGroups: ['model=other-service'] }),
  ])
  expect(models.models()).toEqual(['a'])
  // What trusted peers may use besides is not even looked at.
  expect(asked).toEqual(['stranger'])
})

test('there are none while sharing is paused, and a change of either is told', () => {
  const { models, pause, listeners } = shared([service({ identityGroups: ['model=a'] })])
  let told = 0
  const stop = models.subscribe(() => (told += 1))
  for (const listener of listeners) listener()
  expect(told).toBeGreaterThan(0)
  pause.isPaused = true
  expect(models.models()).toEqual([])
  stop()
  expect(listeners.size).toBe(0)
})

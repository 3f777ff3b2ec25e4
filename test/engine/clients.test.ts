import { afterAll, beforeAll } from 'vitest'
import { type ClientWorld, clientTable } from '../fixtures/clients/table.js'
import { startClientWorlds } from '../fixtures/clients/world.js'
import { until } from '../fixtures/until.js'
import { type Engine, startEngine } from './engine.js'

/** The session of every client once more: each word of each answer comes from llama.cpp. */
let engine: Engine
let worlds: Awaited<ReturnType<typeof startClientWorlds>>

beforeAll(async () => {
  engine = await startEngine()
  worlds = await startClientWorlds(engine.talker)
})

afterAll(async () => {
  await worlds.stop()
  await engine.stop()
})

/** Each answer that was begun is finished, or was given up. */
function isIdle(): boolean {
  const count = (...names: string[]): number => engine.events.filter(({ event }) => names.includes(event)).length
  return count('started') === count('finished', 'cancelled')
}

clientTable((library): ClientWorld => {
  const world = worlds.of(library)
  return { ...world, idle: () => world.idle().then(() => until(isIdle, { what: 'the engine is idle' })) }
})

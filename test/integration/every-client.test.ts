import { afterAll, beforeAll } from 'vitest'
import { clientTable } from '../fixtures/clients/table.js'
import { startClientWorlds } from '../fixtures/clients/world.js'

let worlds: Awaited<ReturnType<typeof startClientWorlds>>

beforeAll(async () => {
  worlds = await startClientWorlds()
})

afterAll(() => worlds.stop())

clientTable((library) => worlds.of(library))

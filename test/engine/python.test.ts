import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startClientWorlds } from '../fixtures/clients/world.js'
import { type Engine, startEngine } from './engine.js'
import { installPythonClients } from './install.js'

const run = promisify(execFile)

/** What came of one step of a session. */
type Outcome = { value: unknown } | { error: string; status: number | null }

const python = await installPythonClients()
if ('missing' in python) process.stdout.write(`The Python clients are left out: ${python.missing}\n`)

describe.skipIf('missing' in python)('Python clients', () => {
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

  test.each([
    ['openai', 'openai'],
    ['anthropic', 'anthropic'],
    ['ollama', 'ollama'],
    ['litellm', 'openai'],
  ] as const)(
    '%s lists, chats, streams, calls tools, answers in JSON, embeds and understands errors',
    async (...row) => {
      const [library, speaks] = row
      const { gateway, chatModel, embeddingModel } = worlds.of({ speaks })
      const script = [join(import.meta.dirname, 'session.py'), library, gateway, chatModel, embeddingModel]
      const { stdout } = await run('path' in python ? python.path : '', script, {
        env: { ...process.env, NO_PROXY: '*' },
      })
      const { unknown, ...steps } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, Outcome>

      const names = Object.keys(steps)
      expect(names).toContain('chat')
      expect(steps).toEqual(Object.fromEntries(names.map((name) => [name, { value: EXPECTED[name] }])))
      expect(unknown).toMatchObject({ status: 404, error: expect.stringContaining('nobody-has-it') as string })
    },
  )
})

const trip = {
  city: expect.toBeOneOf(['Paris', 'Rome']) as string,
  days: expect.toBeOneOf([1, 2]) as number,
}

const EXPECTED: Readonly<Record<string, unknown>> = {
  list: expect.arrayContaining([expect.any(String)]),
  chat: expect.stringMatching(/\S/),
  stream: expect.arrayContaining([expect.stringMatching(/\S/)]),
  tool: ['plan_trip', trip],
  schema: trip,
  embed: expect.arrayContaining([expect.any(Number)]),
  show: expect.arrayContaining(['completion']),
  ps: expect.any(Array),
}

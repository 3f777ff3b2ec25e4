import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import {
  answerTo,
  type ContinuingServer,
  type ContinuingServerOptions,
  startContinuingServer,
} from '../fixtures/model-servers/continuing-server.js'
import { flagsToJoin, llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const MODEL = 'shared'

interface Provider {
  node: NodeProcess
  server: ContinuingServer
}

const cleanups: (() => Promise<unknown>)[] = []
const shared: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const controlOf = (node: NodeProcess) => createControlClient({ controlFile: join(node.dataDir, 'control.json') })

let user: NodeProcess
beforeAll(async () => {
  user = await startUser()
  shared.push(() => user.stop())
})
afterAll(async () => {
  for (const cleanup of shared.splice(0).reverse()) await cleanup()
})

const startUser = (flags: string[] = []): Promise<NodeProcess> =>
  startNodeProcess({ flags: ['--demo-model', 'off', ...flags] })

async function startProvider(of: NodeProcess, options: ContinuingServerOptions): Promise<Provider> {
  const server = await startContinuingServer(options)
  cleanups.push(() => server.close())
  const node = await startNodeProcess({ flags: ['--demo-model', 'off', ...llmFlags(server.port), ...flagsToJoin(of)] })
  cleanups.push(() => node.stop())
  return { node, server }
}

interface Listed {
  data: { id: string; ocf: { providers: number } }[]
}

/** Providers of one model at `of`, all of them known. */
async function providersAt(of: NodeProcess, kinds: readonly ContinuingServerOptions[]): Promise<Provider[]> {
  const all = await Promise.all(kinds.map((options) => startProvider(of, options)))
  const model = kinds[0]?.model ?? MODEL
  await until(
    async () => {
      const { data } = (await (await fetch(`${of.gateway}/v1/models`)).json()) as Listed
      return data.find(({ id }) => id === model)?.ocf.providers === kinds.length
    },
    { what: 'all providers are known', limitMs: 30_000 },
  )
  return all
}

const FORMS = {
  chat: {
    path: '/v1/chat/completions',
    body: (question: string) => ({ messages: [{ role: 'user', content: question }], stream: true }),
    textOf: (value: Value) => value.choices?.[0]?.delta?.content ?? '',
  },
  completions: {
    path: '/v1/completions',
    body: (question: string) => ({ prompt: `${question}\u0001`, stream: true }),
    textOf: (value: Value) => value.choices?.[0]?.text ?? '',
  },
  messages: {
    path: '/v1/messages',
    body: (question: string) => ({ max_tokens: 1000, messages: [{ role: 'user', content: question }], stream: true }),
    textOf: (value: Value) => value.delta?.text ?? '',
  },
  'ollama-chat': {
    path: '/api/chat',
    body: (question: string) => ({ messages: [{ role: 'user', content: question }] }),
    textOf: (value: Value) => value.message?.content ?? '',
  },
  'ollama-generate': {
    path: '/api/generate',
    body: (question: string) => ({ prompt: `${question}\u0001`, raw: true }),
    textOf: (value: Value) => value.response ?? '',
  },
} as const
type Form = keyof typeof FORMS

interface Value {
  id?: string
  type?: string
  model?: string
  choices?: { delta?: { content?: string | null; role?: string }; text?: string; finish_reason?: string | null }[]
  delta?: { text?: string; stop_reason?: string }
  message?: { content?: string }
  response?: string
  done?: boolean
  usage?: Record<string, number>
  eval_count?: number
  prompt_eval_count?: number
  error?: unknown
}

/** An answer as its client read it. */
interface Read {
  status: number
  whole: string
  values: Value[]
  text: string
  broke: boolean
}

/** Reads an answer; `after` events with text, `then` is called once. */
async function read(
  gateway: string,
  form: Form,
  question: string,
  more: object,
  at?: { tokens: number; then(): void | Promise<void> },
): Promise<Read> {
  const { path, body, textOf } = FORMS[form]
  const response = await fetch(gateway + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, ...body(question), ...more }),
  })
  let whole = ''
  let broke = false
  let acting: void | Promise<void> = undefined
  let isDue = at !== undefined
  try {
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
      whole += piece
      if (!isDue || valuesIn(whole).filter((value) => textOf(value) !== '').length < at!.tokens) continue
      isDue = false
      acting = at!.then()
    }
  } catch {
    broke = true
  }
  await acting
  const values = valuesIn(whole)
  return { status: response.status, whole, values, text: values.map(textOf).join(''), broke }
}

function valuesIn(whole: string): Value[] {
  const lines = whole.split('\n').map((line) => (line.startsWith('data: ') ? line.slice(6) : line))
  return lines.filter((line) => line.startsWith('{') && line.endsWith('}')).map((line) => JSON.parse(line) as Value)
}

/** Who is answering now. */
async function answering(providers: readonly Provider[], question: string): Promise<Provider> {
  const isIt = ({ server }: Provider): boolean => server.asked.some((body) => JSON.stringify(body).includes(question))
  await until(() => providers.some(isIt), { what: 'somebody answers' })
  return providers.find(isIt)!
}

const idsOf = ({ values }: Read): unknown[] => [...new Set(values.map(({ id }) => id).filter((id) => id !== undefined))]

describe('the provider is killed in the middle of an answer', () => {
  test.each(['chat', 'completions', 'messages'] as const)('another one goes on with it: %s', async (form) => {
    const providers = await providersAt(user, [{}, {}])
    const question = `tell me ${form}`
    const answer = await read(
      user.gateway,
      form,
      question,
      { stream_options: { include_usage: true } },
      {
        tokens: 37,
        then: async () => (await answering(providers, question)).node.kill(),
      },
    )

    expect(answer.text).toBe(answerTo(question).join(''))
    expect(answer.broke).toBe(false)
    expect(idsOf(answer).length).toBeLessThanOrEqual(1)
    expect(answer.values.some(({ error }) => error !== undefined)).toBe(false)
    expect(answer.whole).toContain(': ocf-continued peer=')
    if (form === 'messages')
      expect(answer.values.map(({ type }) => type).filter((type) => type === 'message_start')).toHaveLength(1)
    else expect(answer.whole.trimEnd().endsWith('data: [DONE]')).toBe(true)
    const roles = answer.values.filter(({ choices }) => choices?.[0]?.delta?.role !== undefined)
    expect(roles.length).toBeLessThanOrEqual(1)
    const counted = answer.values.find(({ usage, delta }) => usage !== undefined && delta === undefined)?.usage
    if (form !== 'messages')
      expect(counted).toMatchObject({ completion_tokens: answerTo(question).length, prompt_tokens: 10 })
  })

  test.each(['ollama-chat', 'ollama-generate'] as const)('another one goes on with it: %s', async (form) => {
    const ollama = { kind: 'ollama', digest: 'a'.repeat(64) } as const
    const providers = await providersAt(user, [ollama, ollama])
    const question = `tell me ${form}`
    const answer = await read(
      user.gateway,
      form,
      question,
      {},
      {
        tokens: 41,
        then: async () => (await answering(providers, question)).node.kill(),
      },
    )

    expect(answer.text).toBe(answerTo(question).join(''))
    expect(answer.values.filter(({ done }) => done === true)).toHaveLength(1)
    expect(answer.values.at(-1)).toMatchObject({ eval_count: answerTo(question).length, prompt_eval_count: 10 })
  })

  test('and the one after it as well: a third goes on', async () => {
    const apart = await startUser(['--use.exposure', '3'])
    cleanups.push(() => apart.stop())
    const providers = await providersAt(apart, [{}, {}, {}])
    const question = 'three of them'
    const killed = new Set<Provider>()
    const kill = async (): Promise<void> => {
      const isIt = (one: Provider): boolean => !killed.has(one) && one.server.asked.length > 0
      await until(() => providers.some(isIt), { what: 'somebody answers' })
      const one = providers.find(isIt)!
      killed.add(one)
      await one.node.kill()
    }
    const answer = await read(
      apart.gateway,
      'chat',
      question,
      {},
      {
        tokens: 10,
        async then() {
          await kill()
          await until(() => providers.some((one) => !killed.has(one) && one.server.asked.length > 0), {
            what: 'the next answers',
          })
          await kill()
        },
      },
    )
    expect(answer.text).toBe(answerTo(question).join(''))
  })

  test('and so is the other one, while nobody else is there: the answer ends, and says that it broke off', async () => {
    const providers = await providersAt(user, [{}, {}])
    const question = 'both of them'
    const answer = await read(
      user.gateway,
      'chat',
      question,
      {},
      {
        tokens: 10,
        async then() {
          const one = await answering(providers, question)
          await one.node.kill()
          const other = providers.find((provider) => provider !== one)!
          await until(() => other.server.asked.length > 0, { what: 'the other one goes on' })
          await other.node.kill()
        },
      },
    )
    expect(answerTo(question).join('').startsWith(answer.text)).toBe(true)
    expect(answer.text.length).toBeLessThan(answerTo(question).join('').length)
    expect(answer.values.at(-1)?.error).toBeDefined()
    expect(answer.broke).toBe(false)
  })

  test('its bound on tokens holds for the whole', async () => {
    const providers = await providersAt(user, [{}, {}])
    const question = 'only fifty'
    const answer = await read(
      user.gateway,
      'chat',
      question,
      { max_tokens: 50 },
      {
        tokens: 20,
        then: async () => (await answering(providers, question)).node.kill(),
      },
    )
    expect(answer.text).toBe(answerTo(question).slice(0, 50).join(''))
    expect(answer.values.at(-1)?.choices?.[0]?.finish_reason).toBe('length')
  })
})

test('its server dies, and not the node: another provider goes on', async () => {
  const providers = await providersAt(user, [{ kind: 'vllm' }, { kind: 'vllm' }])
  const question = 'the server alone'
  const answer = await read(
    user.gateway,
    'chat',
    question,
    {},
    {
      tokens: 25,
      then: async () => (await answering(providers, question)).server.cut(),
    },
  )
  expect(answer.text).toBe(answerTo(question).join(''))
  const second = providers
    .flatMap(({ server }) => server.asked)
    .find((body) => body['continue_final_message'] !== undefined)
  expect(second).toMatchObject({ continue_final_message: true, add_generation_prompt: false })
})

test('a provider that stands still is left, and another one goes on', async () => {
  const providers = await providersAt(user, [{}, {}])
  const question = 'it stands still'
  let stopped: NodeProcess | undefined
  cleanups.push(() => Promise.resolve(stopped && process.kill(stopped.pid, 'SIGCONT')))
  const answer = await read(
    user.gateway,
    'chat',
    question,
    {},
    {
      tokens: 15,
      async then() {
        stopped = (await answering(providers, question)).node
        process.kill(stopped.pid, 'SIGSTOP')
      },
    },
  )
  expect(answer.text).toBe(answerTo(question).join(''))
})

describe('a provider that is stopped', () => {
  test('is left before it cuts the answer', async () => {
    const providers = await providersAt(user, [{ everyMs: 60 }, { everyMs: 60 }])
    const question = 'it is stopped'
    const answer = await read(
      user.gateway,
      'chat',
      question,
      {},
      {
        tokens: 10,
        then: async () => void (await (await answering(providers, question)).node.stop()),
      },
    )
    expect(answer.text).toBe(answerTo(question).join(''))
    const entries = await controlOf(user).call('traffic.recent', {})
    const reasons = entries.flatMap(({ legs }) => legs.map(({ reason }) => reason))
    expect(reasons).toContain('its node is about to stop')
  })

  test('finishes an answer that ends soon', async () => {
    const providers = await providersAt(user, [{ everyMs: 4 }, { everyMs: 4 }])
    const question = 'it ends soon'
    const answer = await read(
      user.gateway,
      'chat',
      question,
      {},
      {
        tokens: 60,
        then: async () => void (await (await answering(providers, question)).node.stop()),
      },
    )
    expect(answer.text).toBe(answerTo(question).join(''))
    expect(answer.whole).not.toContain('ocf-continued')
  })
})

test('an answer that has said nothing yet begins anew at any other provider', async () => {
  const kind = { kind: 'anew', firstIsSilent: { taken: false } } as const
  const providers = await providersAt(user, [kind, kind])
  const question = 'nothing said'
  const answer = await read(
    user.gateway,
    'chat',
    question,
    {},
    {
      tokens: 0,
      then: async () => (await answering(providers, question)).server.cut(),
    },
  )
  expect(answer.text).toBe(answerTo(question).join(''))
})

describe('an answer breaks off honestly', () => {
  const cutAt = async (
    of: NodeProcess,
    kinds: readonly ContinuingServerOptions[],
    question: string,
    more: object = {},
    tokens = 12,
  ): Promise<{ answer: Read; providers: Provider[] }> => {
    const providers = await providersAt(of, kinds)
    const answer = await read(of.gateway, 'chat', question, more, {
      tokens,
      then: async () => (await answering(providers, question)).server.cut(),
    })
    return { answer, providers }
  }
  const isBroken = (answer: Read, question: string): void => {
    expect(answer.text.length).toBeLessThan(answerTo(question).join('').length)
    expect(answerTo(question).join('').startsWith(answer.text)).toBe(true)
    expect(answer.values.at(-1)?.error).toBeDefined()
  }

  test('where the other server would begin anew, and says so when it is asked', async () => {
    const { answer, providers } = await cutAt(user, [{ kind: 'anew' }, { kind: 'anew' }], 'anew')
    isBroken(answer, 'anew')
    expect(providers.map(({ server }) => server.asked.length).toSorted()).toEqual([0, 1])
  })

  test('of a request that shapes the answer as a whole', async () => {
    const wishes = {
      'a JSON schema': { response_format: { type: 'json_object' } },
      'several answers': { n: 2 },
      'log probabilities': { logprobs: true },
      'an enforced tool': { tool_choice: 'required', tools: [] },
    }
    const providers = await providersAt(user, [{}, {}])
    let waiting = Object.keys(wishes).length
    const cutAll = (): void => {
      waiting -= 1
      if (waiting === 0) for (const { server } of providers) server.cut()
    }
    const asked = Object.entries(wishes).map(async ([what, more]) => {
      isBroken(await read(user.gateway, 'chat', what, more, { tokens: 12, then: cutAll }), what)
    })
    await Promise.all(asked)
    expect(providers.flatMap(({ server }) => server.asked)).toHaveLength(asked.length)
  })

  test.each(['thinking', 'tool'] as const)('that began with %s', async (begins) => {
    const { answer } = await cutAt(user, [{ begins }, { begins }], `begins ${begins}`)
    isBroken(answer, `begins ${begins}`)
  })

  test('where the person switched it off, or one stranger alone may read a request', async () => {
    for (const flags of [
      ['--use.continue', 'off'],
      ['--use.exposure', '1'],
    ]) {
      const apart = await startUser(flags)
      cleanups.push(() => apart.stop())
      const { answer } = await cutAt(apart, [{}, {}], flags.join())
      isBroken(answer, flags.join())
    }
  })

  test('where the other has another model by that name, unless the person allows it', async () => {
    const other = { kind: 'ollama', digest: 'b'.repeat(64) } as const
    const kinds = [{ kind: 'ollama', digest: 'a'.repeat(64) } as const, other]
    const { answer } = await cutAt(user, kinds, 'two digests')
    isBroken(answer, 'two digests')

    const apart = await startUser(['--use.continue', 'same-name'])
    cleanups.push(() => apart.stop())
    const allowed = await cutAt(apart, kinds, 'any digest')
    expect(allowed.answer.text).toBe(answerTo('any digest').join(''))
    expect(allowed.answer.whole).toContain('digest=different')
  })
})

test('what is not cut is passed on as it was sent', async () => {
  await providersAt(user, [{}])
  const answer = await read(user.gateway, 'chat', 'undisturbed', {})
  expect(answer.text).toBe(answerTo('undisturbed').join(''))
  expect(answer.whole).not.toContain('ocf-continued')
})

test('what a killed node was answering shows as broken off after its next start', async () => {
  const apart = await startUser()
  cleanups.push(() => apart.stop())
  await providersAt(apart, [{ everyMs: 100 }])
  const noted = join(apart.dataDir, 'running-requests.json')
  const answer = await read(
    apart.gateway,
    'chat',
    'the asking node is killed',
    {},
    {
      tokens: 1,
      async then() {
        await until(() => existsSync(noted) && readFileSync(noted, 'utf8').includes(MODEL), { what: 'it is noted' })
        await apart.kill()
      },
    },
  )
  expect(answer.broke).toBe(true)
  expect(readFileSync(noted, 'utf8')).not.toContain('killed')

  const again = await startNodeProcess({ flags: ['--demo-model', 'off'], dataDir: apart.dataDir })
  cleanups.push(() => again.stop())
  const entries = await controlOf(again).call('traffic.recent', {})
  expect(entries.map(({ model, cancelledBy, error }) => ({ model, cancelledBy, error }))).toEqual([
    { model: MODEL, cancelledBy: 'node', error: 'internal' },
  ])
})

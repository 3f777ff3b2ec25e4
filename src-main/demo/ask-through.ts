import { setTimeout as pause } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { z } from 'zod'

/** What came back, and how. */
export interface DemoAnswer {
  text: string
  /** Peer id of the node that answered. */
  servedBy: string
  /** From asking to the whole answer. */
  tookMs: number
  completionTokens: number
}

const ModelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) })

const CompletionSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
  usage: z.object({ completion_tokens: z.number() }),
})

const POLL_MS = 50

/** Waits until the gateway lists the model, then asks it one question. */
export async function askThrough(
  gateway: string,
  ask: { model: string; question: string },
  signal: AbortSignal,
): Promise<DemoAnswer> {
  // The gateway is on this machine: what the environment says of proxies is not about it.
  const dispatcher = new Agent()
  try {
    return await askWith(dispatcher, gateway, ask, signal)
  } finally {
    await dispatcher.destroy()
  }
}

async function askWith(
  dispatcher: Agent,
  gateway: string,
  ask: { model: string; question: string },
  signal: AbortSignal,
): Promise<DemoAnswer> {
  while (!(await listsModel(dispatcher, gateway, ask.model, signal))) await pause(POLL_MS, undefined, { signal })
  const startedAt = performance.now()
  const response = await request(`${gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: ask.model, messages: [{ role: 'user', content: ask.question }] }),
    ...{ signal, dispatcher },
  })
  const body = await response.body.json()
  const tookMs = performance.now() - startedAt
  if (response.statusCode !== 200) throw new Error(`the request was answered with ${response.statusCode}`)
  const completion = CompletionSchema.parse(body)
  return {
    text: completion.choices[0]?.message.content ?? '',
    servedBy: String(response.headers['x-computing-node']),
    tookMs,
    completionTokens: completion.usage.completion_tokens,
  }
}

async function listsModel(dispatcher: Agent, gateway: string, model: string, signal: AbortSignal): Promise<boolean> {
  const response = await request(`${gateway}/v1/models`, { signal, dispatcher })
  const { data } = ModelsSchema.parse(await response.body.json())
  return data.some(({ id }) => id === model)
}

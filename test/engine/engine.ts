import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PROMPT } from '../fixtures/clients/client.js'
import type { Talker } from '../fixtures/clients/stand-ins.js'
import { until } from '../fixtures/until.js'
import { tinyModel } from './gguf.js'
import { installEngine } from './install.js'

/** What an engine says of its work. */
interface EngineEvent {
  event: string
  who?: string
  tokens?: number
  port?: number
}

/** llama.cpp with a tiny model, in a process of its own. */
export interface Engine {
  readonly port: number
  readonly events: readonly EngineEvent[]
  /** Of a model that starts with chance: no word of it means anything. */
  readonly talker: Talker
  stop(): Promise<void>
}

/** Fetches the engine where it is not there yet, and starts it. */
export async function startEngine(): Promise<Engine> {
  const entry = await installEngine()
  const folder = await mkdtemp(join(tmpdir(), 'ocf-engine-'))
  const model = join(folder, 'tiny.gguf')
  await writeFile(model, tinyModel())
  const script = join(import.meta.dirname, 'server.mjs')
  const engine = spawn(process.execPath, [script, entry, model], { stdio: ['ignore', 'pipe', 'inherit'] })
  const events: EngineEvent[] = []
  createInterface(engine.stdout).on('line', (line) => {
    if (line.startsWith('{')) events.push(JSON.parse(line) as EngineEvent)
  })
  const port = await until(() => events.find(({ event }) => event === 'ready')?.port, {
    ...{ what: 'the engine is ready', limitMs: 120_000 },
  })
  return {
    port,
    events,
    talker: talkerOf(`http://127.0.0.1:${port}`),
    async stop() {
      engine.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const talkerOf = (origin: string): Talker => ({
  async *words({ tokens, schema }) {
    const body = { messages: [{ content: PROMPT }], who: 'talker', stream: true, max_tokens: tokens, schema }
    const leave = new AbortController()
    const init = { method: 'POST', body: JSON.stringify(body), signal: leave.signal }
    try {
      const { body: answer } = await fetch(`${origin}/v1/chat/completions`, init)
      if (answer === null) return
      let rest = ''
      for await (const text of answer.pipeThrough(new TextDecoderStream())) {
        const events = (rest + text).split('\n\n')
        rest = events.pop() ?? ''
        for (const event of events) yield wordIn(event)
      }
    } finally {
      leave.abort()
    }
  },
  async embed(input) {
    const response = await fetch(`${origin}/embed`, { method: 'POST', body: JSON.stringify({ input }) })
    return (await response.json()) as number[]
  },
})

interface Chunk {
  choices: { delta: { content: string } }[]
}

function wordIn(event: string): string {
  const data = event.slice('data: '.length)
  return data === '[DONE]' ? '' : ((JSON.parse(data) as Chunk).choices[0]?.delta.content ?? '')
}

// A model server around llama.cpp with one slot, in a process of its own. While it generates it answers nothing else,
// as small servers do. Standard output tells what the engine does, a line each.
import { createServer } from 'node:http'

const [engineUrl, modelPath] = process.argv.slice(2)
const { getLlama, LlamaGrammarEvaluationState } = await import(engineUrl)
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error', progressLogs: false })
const model = await llama.loadModel({ modelPath })
const context = await model.createContext({ contextSize: 512, sequences: 1, threads: 1 })
const sequence = context.getSequence()
const embeddings = await model.createEmbeddingContext({ contextSize: 512, threads: 1 })

const tell = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)
let slot = Promise.resolve()

/** Runs `work` once nothing else does. */
function inTurn(work) {
  const done = slot.then(work)
  slot = done.catch(() => undefined)
  return done
}

async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

async function generate(asked, response, onToken) {
  await sequence.clearHistory()
  const prompt = model.tokenize(asked.messages.map(({ content }) => content).join('\n'), false)
  let count = 0
  const grammar = asked.schema && (await llama.createGrammarForJsonSchema(asked.schema))
  const grammarEvaluationState = grammar && new LlamaGrammarEvaluationState({ model, grammar })
  const how = { temperature: 0.8, seed: 7, grammarEvaluationState }
  for await (const token of sequence.evaluate([model.tokens.bos, ...prompt], how)) {
    if (response.destroyed) break
    count += 1
    await onToken(model.detokenize([token]))
    if (count >= asked.max_tokens) break
  }
  return { prompt_tokens: prompt.length + 1, completion_tokens: count, total_tokens: prompt.length + 1 + count }
}

async function chat(request, response) {
  const asked = { max_tokens: 16, ...(await bodyOf(request)) }
  await inTurn(async () => {
    if (response.destroyed) return
    tell('started', { who: asked.who })
    let text = ''
    if (asked.stream === true) response.writeHead(200, { 'content-type': 'text/event-stream' })
    const usage = await generate(asked, response, async (piece) => {
      text += piece
      if (asked.stream !== true) return
      const chunk = {
        object: 'chat.completion.chunk',
        model: asked.model,
        choices: [{ index: 0, delta: { content: piece } }],
      }
      // Let the loop turn, so that a client that left is noticed; wait for one that reads slowly.
      if (!response.write(`data: ${JSON.stringify(chunk)}\n\n`)) await drained(response)
      await new Promise((resolve) => setImmediate(resolve))
    })
    tell(response.destroyed ? 'cancelled' : 'finished', { who: asked.who, tokens: usage.completion_tokens })
    if (asked.stream === true) {
      response.end(
        `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [], usage })}\n\ndata: [DONE]\n\n`,
      )
      return
    }
    const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'length' }]
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ object: 'chat.completion', model: asked.model, choices, usage }))
  })
}

/** What the model makes of a text, as numbers. */
async function embed(request, response) {
  const { input } = await bodyOf(request)
  await inTurn(async () => {
    const { vector } = await embeddings.getEmbeddingFor(input)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(vector))
  })
}

const drained = (response) =>
  new Promise((resolve) => {
    response.once('drain', resolve).once('close', resolve)
  })

const server = createServer((request, response) => {
  const name = `${request.method} ${request.url}`
  const work = { 'POST /v1/chat/completions': chat, 'POST /embed': embed }[name]
  if (work !== undefined) {
    work(request, response).catch((error) => {
      tell('failed', { reason: String(error) })
      response.destroy()
    })
    return
  }
  if (name !== 'GET /v1/models') {
    response.writeHead(404).end()
    return
  }
  response.once('close', () => response.writableFinished || tell('unanswered'))
  void inTurn(() => {
    const data = [{ id: 'tiny-random-llama', object: 'model', created: 0, owned_by: 'test' }]
    if (response.destroyed) return
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ object: 'list', data }))
  })
})
server.listen(0, '127.0.0.1', () => tell('ready', { port: server.address().port }))

// A model server around llama.cpp that goes on with a last message of the assistant, as llama-server does (b10434), with
// the same words for the same question. `POST /cut` ends all answers as a cut line does. Standard output has its port.
import { createServer } from 'node:http'

const [engineUrl, modelPath] = process.argv.slice(2)
const { getLlama } = await import(engineUrl)
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error', progressLogs: false })
const model = await llama.loadModel({ modelPath })
// Token by token, as an answer is made: a prompt read in one piece gives figures that differ a little, and where two words
// are about as likely the model would choose the other one.
const context = await model.createContext({ contextSize: 1024, batchSize: 1, sequences: 1, threads: 1 })
const sequence = context.getSequence()
const open = new Set()
let slot = Promise.resolve()

function inTurn(work) {
  const done = slot.then(work)
  slot = done.catch(() => undefined)
  return done
}

async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())
}

/** A template for a model that was not taught to chat: the turns as they are, and the last one of the assistant stays open. */
const promptOf = (messages) => messages.map(({ content }) => content).join('')

async function chat(request, response) {
  const asked = { max_tokens: 32, ...(await bodyOf(request)) }
  open.add(response)
  response.once('close', () => open.delete(response))
  await inTurn(async () => {
    if (response.destroyed) return
    await sequence.clearHistory()
    const prompt = model.tokenize(promptOf(asked.messages), true)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const send = (delta, finish = null) =>
      response.write(
        `data: ${JSON.stringify({ id: 'a', object: 'chat.completion.chunk', model: asked.model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
      )
    let finish = 'stop'
    let held = []
    let count = 0
    for await (const token of sequence.evaluate([model.tokens.bos, ...prompt], { temperature: 0 })) {
      if (response.destroyed) return
      if (model.isEogToken(token)) break
      count += 1
      held.push(token)
      const text = model.detokenize(held)
      // A sign that is not whole waits for its other tokens.
      if (!text.endsWith('\uFFFD')) {
        send({ content: text })
        held = []
      }
      await new Promise((resolve) => setImmediate(resolve))
      if (count >= asked.max_tokens) {
        finish = 'length'
        break
      }
    }
    send({}, finish)
    response.end('data: [DONE]\n\n')
  })
}

const server = createServer(async (request, response) => {
  const name = `${request.method} ${request.url}`
  const json = (value) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  if (name === 'POST /v1/chat/completions') await chat(request, response)
  else if (name === 'GET /health') json({ status: 'ok' })
  else if (name === 'GET /v1/models')
    json({ object: 'list', data: [{ id: 'real', object: 'model', owned_by: 'llamacpp' }] })
  else if (name === 'POST /apply-template') json({ prompt: promptOf((await bodyOf(request)).messages) })
  else if (name === 'POST /cut') {
    for (const one of open) one.destroy()
    json({})
  } else response.writeHead(404).end()
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))

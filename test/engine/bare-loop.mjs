// llama.cpp as node-llama-cpp brings it, without any server: reads a prompt, writes tokens, prints how fast.
const [library, modelPath, promptTokens, answerTokens] = process.argv.slice(2)
const { getLlama } = await import(library)
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error', progressLogs: false })
const model = await llama.loadModel({ modelPath })
const threads = Math.max(1, llama.cpuMathCores - 1)
const context = await model.createContext({ contextSize: 4096, sequences: 1, threads })
const sequence = context.getSequence()
const prompt = model
  .tokenize('The quick brown fox jumps over the lazy dog. '.repeat(400))
  .slice(0, Number(promptTokens))
const started = performance.now()
await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(0, -1))
const read = performance.now()
let count = 0
for await (const token of sequence.evaluate(prompt.slice(-1), { temperature: 0, yieldEogToken: true })) {
  if (token === undefined || (count += 1) >= Number(answerTokens)) break
}
const promptMs = read - started
const answerMs = performance.now() - read
process.stdout.write(JSON.stringify({ promptMs, answerMs, count }))
process.exit(0)

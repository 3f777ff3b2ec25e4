import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { Session } from 'node:inspector/promises'
import { fileURLToPath } from 'node:url'

// Loaded into a node that runs from its sources: tells, when asked, which functions were executed since the last time.

registerHooks({
  // What the build does for the sources beside removing their types.
  load(url, context, nextLoad) {
    if (isOwn(url) && url.endsWith('.json'))
      return { format: 'module', source: asModule(readSource(url)), shortCircuit: true }
    const globs = isOwn(url) && url.endsWith('.ts') && readSource(url).includes('import.meta.glob')
    if (!globs) return nextLoad(url, context)
    const source = readSource(url).replaceAll('import.meta.glob', '((..._: unknown[]) => ({}))')
    return { format: 'module-typescript', source, shortCircuit: true }
  },
})

const isOwn = (url) => url.startsWith('file:') && !url.includes('/node_modules/')
const readSource = (url) => readFileSync(fileURLToPath(url), 'utf8')

function asModule(json) {
  const names = Object.keys(JSON.parse(json))
  const fields = names.map((name, index) => `const field${index} = data[${JSON.stringify(name)}]`)
  const exported = names.map((name, index) => `field${index} as ${JSON.stringify(name)}`)
  return [`const data = ${json}`, ...fields, `export { ${['data as default', ...exported].join(', ')} }`].join('\n')
}

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

process.on('message', async () => {
  const { result } = await session.post('Profiler.takePreciseCoverage')
  process.send(
    result
      .filter(({ url }) => url.includes('/src-main/'))
      .flatMap(({ url, functions }) =>
        functions
          .filter(({ ranges: [range] }) => range.count > 0)
          .map(({ functionName, ranges: [range] }) => ({
            file: url.slice(url.lastIndexOf('/src-main/') + 1),
            name: functionName,
            at: range.startOffset,
          })),
      ),
  )
})
// The question must not keep a node alive that wants to end.
process.channel.unref()

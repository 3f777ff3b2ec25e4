import { download, type Download } from './download.ts'
import { echo, type EchoLoad } from './echo.ts'
import { holdStreams, type HeldStreams } from './held-streams.ts'
import { script, type ScriptLoad } from './script.ts'
import { streamTokens, type TokenStreams } from './token-streams.ts'

/** One measurement of the load generator, which runs in a process of its own. */
export type Load =
  | ({ kind: 'echo' } & EchoLoad)
  | ({ kind: 'script' } & ScriptLoad)
  | ({ kind: 'tokens' } & TokenStreams)
  | ({ kind: 'held' } & HeldStreams)
  | ({ kind: 'download' } & Download)

function run(load: Load): Promise<object> {
  switch (load.kind) {
    case 'echo':
      return echo(load)
    case 'script':
      return script(load)
    case 'tokens':
      return streamTokens(load)
    case 'held':
      return holdStreams(load)
    case 'download':
      return download(load)
  }
}

process.on('message', (load: Load) => {
  run(load).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  )
})
process.send?.({ pid: process.pid })
// Nobody is left to ask.
process.on('disconnect', () => process.exit())

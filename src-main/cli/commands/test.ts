import type { ModelTest } from '#shared/contract/models/model-test.js'
import { durationText } from '#shared/figures.js'
import { printable } from '../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { readPeerNames } from '../peer-names.js'
import { mayColour, textTable } from '../table.js'

/** The steps of `Server-Timing`. */
const STEPS: Readonly<Record<string, string>> = {
  select: 'choosing a provider',
  connect: 'opening a stream to it',
  ttfb: 'until its answer began',
}

/** `ocf test MODEL`: one real request of one token through the whole path. */
export async function runTest(
  needs: { io: CliIo; client: ControlClient },
  options: { model: string; json: boolean },
): Promise<number> {
  const { io, client } = needs
  const { gatewayUrl, peerId } = await client.call('node.status', {})
  const { labelOf } = await readPeerNames(client, peerId)
  const { key } = await client.call('keys.own', {})
  const abort = new AbortController()
  const stopListening = io.onInterrupt(() => abort.abort())
  try {
    const { testModel } = await import('../../api/index.js')
    // Asked from here and not by the node, which would give up before a large model is loaded.
    const result = await testModel({ url: gatewayUrl, key }, options.model, abort.signal)
    const { answeredBy } = result
    const who = answeredBy === null ? 'no one' : labelOf(answeredBy)
    io.stdout.write(
      options.json
        ? `${JSON.stringify(result, null, 2)}\n`
        : testText(options.model, { ...result, who }, mayColour(io)),
    )
    return result.ok ? EXIT.ok : EXIT.failed
  } catch (error) {
    if (!abort.signal.aborted) throw error
    io.stderr.write('\nstopped\n')
    return EXIT.interrupted
  } finally {
    stopListening()
  }
}

function testText(model: string, result: ModelTest & { who: string }, colour: boolean): string {
  const head =
    result.error === null
      ? `${model} answers: ${JSON.stringify(result.text)}`
      : `${model} does not answer: ${result.error.message} (${result.error.code})`
  const rows = [
    ['answered by', result.who],
    ...(result.tries === null ? [] : [['attempts', String(result.tries)]]),
    ...result.legs.map(({ name, ms }) => [STEPS[name] ?? name, durationText(ms)]),
    ...(result.firstTokenMs === null ? [] : [['until the first token', durationText(result.firstTokenMs)]]),
    ['in all', durationText(result.totalMs)],
  ]
  return `${printable(head)}\n\n${textTable([], rows, { colour })}`
}

import { afterEach, expect, test } from 'vitest'
import { startActingServer } from '../fixtures/model-servers/acting-server.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { chat, llmFlags, untilListed } from '../fixtures/node-pair.js'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const flagsOf = (list: readonly string[]): Record<string, string> =>
  Object.fromEntries(list.flatMap((word, index) => (index % 2 === 0 ? [[word.slice(2), list[index + 1] ?? '']] : [])))

async function start(flags: Record<string, unknown>): Promise<NodeInProcess> {
  const node = await startNodeInProcess({ flags })
  ends.push(() => node.stop())
  return node
}

/** A guest with a model of its own. */
async function startGuest(hub: NodeInProcess, model: string): Promise<NodeInProcess> {
  const server = await startActingServer([model])
  ends.push(() => server.close())
  return await start({ 'bootstrap.sources': `${hub.gateway}/v1/dnt/bootstraps`, ...flagsOf(llmFlags(server.port)) })
}

test('guests of a standalone node use each other’s models, from the first request on', async () => {
  const hub = await start({ mode: 'standalone' })
  const [one, other] = await Promise.all([startGuest(hub, 'model-one'), startGuest(hub, 'model-other')])
  for (const [guest, model, owner] of [
    [one, 'model-other', other],
    [other, 'model-one', one],
  ] as const) {
    await untilListed(guest.gateway, model)
    const answer = await chat(guest.gateway, { model })
    expect([answer.status, answer.headers.get('x-computing-node')]).toEqual([200, owner.peerId])
    const [, connectMs] = /connect;dur=([\d.]+)/.exec(answer.headers.get('server-timing') ?? '') ?? []
    expect(Number(connectMs)).toBeLessThan(2_000)
  }
}, 60_000)

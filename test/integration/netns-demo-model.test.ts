import { expect } from 'vitest'
import { labTest } from '../fixtures/lab-test.js'
import type { LabHost, NetLab } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

const TIMEOUT_MS = 240_000

/** A server with one model, its list below `base`. */
const serverAt = (port: number, base: string): string => `
  require('node:http').createServer((request, response) => {
    const isList = request.url === '${base}/v1/models'
    response.writeHead(isList ? 200 : 404, { 'content-type': 'application/json' })
    response.end(isList ? '{"object":"list","data":[{"id":"real"}]}' : '{}')
  }).listen(${port}, '127.0.0.1', () => console.log('listening'))
`

const OFFERED = 'the demo model is offered'
const START = ['--mode', 'standalone', '--demo-model', 'auto']

async function models(lab: NetLab, host: LabHost): Promise<string[]> {
  const { text } = await lab.fetch(host, 'http://127.0.0.1:8092/v1/models')
  return (JSON.parse(text) as { data: { id: string }[] }).data.map(({ id }) => id)
}

labTest(
  'the demo model is offered where no model server runs, whatever the port and the path of its list',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const empty = lab.host('empty')
    const alone = await lab.node(empty, START)
    await until(async () => (await models(lab, empty)).includes('ocf-demo'), { what: 'the demo model is offered' })
    expect(alone.stderr()).toContain(OFFERED)

    for (const [port, base] of [
      [8081, ''],
      [8001, ''],
      [12434, '/engines'],
    ] as const) {
      const host = lab.host(`port-${port}`)
      await lab.server(host, serverAt(port, base))
      const node = await lab.node(host, START)
      // It is registered before the node is ready, or not at all.
      expect(node.stderr()).not.toContain(OFFERED)
      expect(await models(lab, host)).toEqual([])
    }
  },
)

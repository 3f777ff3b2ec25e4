import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** In a process of its own: the guard changes Node's function for all of it. */
async function inProcess(body: string, failAfter: number): Promise<unknown> {
  const program = `
    import os from 'node:os'
    import { createRequire } from 'node:module'
    import { networkInterfaces as named } from 'node:os'
    import { guardNetworkInterfaces } from ${JSON.stringify(at('../../../../src-main/p2p/hardening/network-interfaces.ts'))}
    const lines = []
    const log = { warn: (message) => lines.push(message) }
    const required = () => createRequire(import.meta.url)('os').networkInterfaces()
    ${body}`
  const { stdout } = await run(
    process.execPath,
    [
      ...['--no-warnings', '--import', at('../../../fixtures/typescript-hooks.mjs')],
      ...['--import', at('../../../fixtures/failing-interfaces.mjs')],
      ...['--input-type=module', '-e', program],
    ],
    { env: { ...process.env, INTERFACES_FAIL_AFTER: String(failAfter), INTERFACES_ERRNO: '24' } },
  )
  return JSON.parse(stdout) as unknown
}

test('interfaces that cannot be read are those read last, however they are asked for, with one line in the log', async () => {
  const found = await inProcess(
    `guardNetworkInterfaces({ log })
    const before = JSON.stringify(named())
    const after = [os.networkInterfaces(), named(), required()].map((list) => JSON.stringify(list) === before)
    console.log(JSON.stringify({ after, lines }))`,
    1,
  )
  expect(found).toEqual({
    after: [true, true, true],
    lines: ['the network interfaces cannot be read; those known before are used'],
  })
})

test('interfaces that could never be read are loopback', async () => {
  const found = await inProcess(
    `guardNetworkInterfaces({ log })
    console.log(JSON.stringify(Object.values(os.networkInterfaces()).flat().map(({ address }) => address)))`,
    0,
  )
  expect(found).toEqual(['127.0.0.1'])
})

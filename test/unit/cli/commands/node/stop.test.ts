import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { AppError } from '#shared/errors.js'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

it('ocf stop returns once the process of the node is gone', async () => {
  const node = spawn(process.execPath, ['-e', 'process.stdin.once("end", () => process.exit()).resume()'])
  const exited = once(node, 'exit')
  const { run, output } = cli({ answers: { 'node.stop': { stopping: true, pid: node.pid } } })
  let hasReturned = false
  const stopped = run('stop').finally(() => (hasReturned = true))
  await new Promise(setImmediate)
  expect(hasReturned).toBe(false)
  node.stdin.end()
  await exited
  expect(await stopped).toBe(EXIT.ok)
  expect(output()).toBe('The node has stopped.\n')
})

it('ocf stop says where a node cannot be stopped, and where none runs', async () => {
  const { run, errors } = cli({ answers: { 'node.stop': { stopping: false, pid: process.pid } } })
  expect(await run('stop')).toBe(EXIT.failed)
  expect(errors()).toContain('can’t be stopped from here')
  const none = cli({
    answers: {
      'node.stop': () => {
        throw new AppError('node_not_running', 'No node is running.')
      },
    },
  })
  expect(await none.run('stop')).toBe(EXIT.notRunning)
})

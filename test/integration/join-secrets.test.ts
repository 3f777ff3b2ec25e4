import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { HEADLESS, type NodeProcess, runOcf, startNodeProcess, withoutSettings } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const LAUNCHER = resolve(import.meta.dirname, '..', '..', 'src-main', 'launcher.mjs')

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(): Promise<NodeProcess> {
  const node = await startNodeProcess({ flags: ['--demo-model', 'off'] })
  ends.push(() => node.stop())
  return node
}

const inviteOf = async (node: NodeProcess): Promise<string> =>
  (await runOcf(['invite', '--data-dir', node.dataDir])).stdout.trim()

/** `ocf join` beside a node, with this on its standard input; through a terminal of its own where `tty` says so. */
function runJoin(node: NodeProcess, options: { words?: string[]; program?: string; tty?: boolean } = {}): ChildProcess {
  const command = [process.execPath, options.program ?? HEADLESS, 'join', ...(options.words ?? [])]
  const words = [...command, '--data-dir', node.dataDir]
  const inTerminal = ['script', '-qec', words.map((word) => `'${word}'`).join(' '), '/dev/null']
  const [program, ...rest] = options.tty === true ? inTerminal : words
  const child = spawn(program!, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: withoutSettings() })
  ends.push(() => child.kill())
  return child
}

describe('the secret of an invite', () => {
  test('ocf join takes an invite from a pipe or a file, and it stands in no argument', async () => {
    const [inviter, guest, third] = await Promise.all([start(), start(), start()])
    const child = runJoin(guest)
    child.stdin!.write(`${await inviteOf(inviter)}\n`)
    const [said, [code]] = await Promise.all([text(child.stdout!), once(child, 'close') as Promise<[number]>])
    expect([code, said]).toEqual([0, expect.stringMatching(/^You and .+ trust each other now\.\n$/)])
    const file = join(third.dataDir, 'mail.txt')
    await writeFile(file, `Hello!\n\n> ${await inviteOf(inviter)}\n`)
    expect(await runOcf(['join', '--file', file, '--data-dir', third.dataDir])).toMatchObject({ code: 0 })
  })

  test.skipIf(process.platform !== 'linux')(
    'ocf join asks for an invite on a terminal and does not show what is pasted there',
    async () => {
      const [inviter, guest] = await Promise.all([start(), start()])
      const invite = await inviteOf(inviter)
      const child = runJoin(guest, { tty: true })
      let seen = ''
      child.stdout!.on('data', (chunk: Buffer) => (seen += chunk.toString()))
      await until(() => seen.includes('it is not shown'), { what: 'it asks' })
      child.stdin!.write(`${invite}\r`)
      await until(() => seen.includes('trust each other now'), { what: 'it has joined' })
      await once(child, 'close')
      expect(seen).not.toContain(invite.slice(4, 40))
    },
  )

  test.skipIf(process.platform !== 'linux').each([
    ['the launcher', LAUNCHER],
    ['the program', HEADLESS],
  ])('an invite given as an argument to %s is not in the list of processes while it joins', async (_what, program) => {
    const [inviter, guest] = await Promise.all([start(), start()])
    const invite = await inviteOf(inviter)
    await inviter.kill()
    const child = runJoin(guest, { words: [invite], program })
    await once(child.stderr!, 'data')
    const argv = await readFile(`/proc/${child.pid}/cmdline`, 'latin1')
    expect(child.exitCode).toBeNull()
    expect(argv).toMatch(/^ocf/)
    expect(argv).not.toContain(invite.slice(4, 40))
  })
})

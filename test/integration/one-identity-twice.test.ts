import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { DoctorReport } from '#shared/contract/node/doctor.js'
import { createControlClient } from '../../src-main/api/client.js'
import { flagsToJoin } from '../fixtures/node-pair.js'
import { runOcf, startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(options: { flags?: string[]; dataDir?: string } = {}): Promise<NodeProcess> {
  const flags = ['--demo-model', 'off', ...(options.flags ?? [])]
  const node = await startNodeProcess({ ...options, flags })
  ends.push(() => node.stop())
  return node
}

const SENTENCE = /another machine uses this node’s identity/i

async function doctorSays(node: NodeProcess): Promise<boolean> {
  const { stdout } = await runOcf(['doctor', '--json', '--data-dir', node.dataDir])
  return (JSON.parse(stdout) as DoctorReport).checks.some(({ id, fact }) => id === 'identity' && SENTENCE.test(fact))
}

test(
  'a node whose identity was restored on a second machine says so on both, and its friend trusts it still',
  { timeout: 300_000 },
  async () => {
    const friend = await start()
    const { call } = createControlClient({ controlFile: join(friend.dataDir, 'control.json') })
    const first = await start({ flags: flagsToJoin(friend) })
    const invite = await call('people.invite', {})
    expect(await runOcf(['join', invite.text, '--data-dir', first.dataDir])).toMatchObject({ code: 0 })
    const rowOf = async (): Promise<{ epoch: number; seq: number } | undefined> =>
      (await call('table.rows', { all: true })).find(({ peerId }) => peerId === first.peerId)
    await until(rowOf, { what: 'the friend has its row' })

    const dataDir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
    ends.push(() => rm(dataDir, { recursive: true, force: true }))
    for (const file of ['identity.key', 'ocf-data.json', 'trust.json'])
      await copyFile(join(first.dataDir, file), join(dataDir, file))
    const rows = new Set<string>()
    const second = await start({ dataDir, flags: flagsToJoin(friend) })
    expect(second.peerId).toBe(first.peerId)

    await until(
      async () => {
        const row = await rowOf()
        if (row !== undefined) rows.add(`${row.epoch}/${row.seq}`)
        return [first, second].every((node) => SENTENCE.test(node.stderr()))
      },
      { what: 'both have noticed', limitMs: 200_000, everyMs: 100 },
    )
    expect([await doctorSays(first), await doctorSays(second), await doctorSays(friend)]).toEqual([true, true, false])
    // Each waits twice as long after each turn: seconds at first, minutes soon.
    expect(rows.size).toBeLessThan(12)
    expect(await call('people.list', {})).toMatchObject([{ peerId: first.peerId, connected: true }])
    for (const node of [first, second]) {
      const people = JSON.parse(await readFile(join(node.dataDir, 'trust.json'), 'utf8')) as { people: unknown[] }
      expect(people.people).toHaveLength(1)
    }
    expect(friend.stderr()).not.toMatch(/left out|two different rows/)
  },
)

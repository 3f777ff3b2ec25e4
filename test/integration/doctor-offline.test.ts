import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { DoctorReport } from '#shared/contract/node/doctor.js'
import { labTest } from '../fixtures/lab-test.js'
import { HEADLESS, runOcf } from '../fixtures/node-process.js'

test('the doctor without a node tells so, who has its ports, and which sources answer', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  const holder = createServer().listen(0, '0.0.0.0')
  await once(holder, 'listening')
  const { port } = holder.address() as { port: number }
  try {
    const ports = ['--port', '0', '--api-port', '0', '--wsport', '0', '--udpport', '0', '--tcpport', String(port)]
    const source = ['--bootstrap.sources', 'http://127.0.0.1:1/']
    const { code, stdout } = await runOcf(['doctor', '--json', '--data-dir', dir, ...ports, ...source])
    expect(code).toBe(1)
    const { checks } = JSON.parse(stdout) as DoctorReport
    const of = (id: string) => checks.find((check) => check.id === id)
    expect(of('node')).toMatchObject({ state: 'bad', fact: expect.stringContaining('No node is running') as string })
    expect(of('port:tcpport')?.fact).toContain(`Port ${port} (tcpport) is used by`)
    expect(of('port:udpport')?.state).toBe('ok')
    expect(of('bootstrap:http://127.0.0.1:1/')?.state).toBe('bad')
    expect(of('data-dir')?.state).toBe('ok')
    expect(of('disk-use')?.fact).toContain('The data folder takes 0 MB')
    expect(of('clock')?.state).toBe('unknown')
    for (const check of checks) {
      expect(check.fact).not.toBe('')
      expect(check.meaning).not.toBe('')
      if (check.state === 'bad') expect(check.fix).not.toBe('')
    }
  } finally {
    holder.close()
    await rm(dir, { recursive: true, force: true })
  }
})

labTest(
  'the doctor without a node says in one warning which ports another node of this person has, and calls none of them broken',
  { timeout: 120_000 },
  async ({ lab, onTestFinished }) => {
    const dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
    onTestFinished(() => rm(dir, { recursive: true, force: true }))
    const host = lab.host('desk')
    const node = await lab.node(host, ['--mode', 'local'], { XDG_RUNTIME_DIR: dir })
    const doctor = [
      process.execPath,
      HEADLESS,
      'doctor',
      '--json',
      '--mode',
      'standalone',
      '--data-dir',
      join(dir, 'x'),
    ]
    // It ends with 1, as no node runs with that folder.
    const text = lab.run(host, 'env', `XDG_RUNTIME_DIR=${dir}`, 'sh', '-c', '"$@" || true', 'sh', ...doctor)
    const { checks } = JSON.parse(text) as DoctorReport
    const other = checks.filter(({ id }) => id === 'other-node')
    expect(other).toHaveLength(1)
    expect(other[0]).toMatchObject({ state: 'warn' })
    expect(other[0]?.fact).toContain(`(pid ${node.pid})`)
    for (const port of ['8092 (port)', '8093 (api-port)', '43905 (tcpport)']) expect(other[0]?.fact).toContain(port)
    expect(checks.filter(({ id, state }) => id.startsWith('port:') && state !== 'ok')).toEqual([])
  },
)

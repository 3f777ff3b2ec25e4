import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMachineNodes } from '../../../../src-main/p2p/bootstrap/machine-nodes.js'
import { OWNER_FOLDER } from '../../../fixtures/file-modes.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

const ME = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'
const OTHER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const signal = new AbortController().signal

let scratch: string
let dir: string
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ocf-machine-'))
  dir = join(scratch, 'nodes')
})
afterEach(() => rm(scratch, { recursive: true, force: true }))

function nodes(peerId = ME, listening: string[] = ['/ip4/127.0.0.1/tcp/4001']) {
  const reach = () => ({ listening }) as never
  return createMachineNodes({ host: { peerId, reach }, log: createRecordingLog() }, { dir })
}

const addressOf = (peerId: string, path = '/ip4/127.0.0.1/tcp/4001'): string => `${path}/p2p/${peerId}`

/** Puts down a file as another node of this process would, but for `fields`. */
async function put(fields: Record<string, unknown> = {}, name = `${OTHER}.json`): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const file = join(dir, name)
  const entry = { peerId: OTHER, pid: process.pid, multiaddrs: [addressOf(OTHER)], ...fields }
  await writeFile(file, JSON.stringify(entry), { mode: 0o600 })
  return file
}

test('a node that runs is found by others, and no longer once it stopped', async () => {
  const [mine, others] = [nodes(ME), nodes(OTHER)]
  await others.start(signal)
  expect(await mine.addresses()).toEqual([addressOf(OTHER)])
  expect(await others.addresses()).toEqual([])
  expect((await stat(dir)).mode & 0o777).toBe(OWNER_FOLDER)
  await others.stop()
  expect(await readdir(dir)).toEqual([])
  expect(await mine.addresses()).toEqual([])
})

test('only loopback addresses are given away', async () => {
  await nodes(OTHER, ['/ip4/192.168.1.5/tcp/1', '/ip6/::1/udp/2/quic-v1', '/ip4/127.0.0.1/tcp/3/ws']).start(signal)
  expect(await nodes().addresses()).toEqual([
    addressOf(OTHER, '/ip6/::1/udp/2/quic-v1'),
    addressOf(OTHER, '/ip4/127.0.0.1/tcp/3/ws'),
  ])
})

test('the file of a node that was killed is removed', async () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  await put({ pid })
  expect(await nodes().addresses()).toEqual([])
  expect(await readdir(dir)).toEqual([])
})

test.each([
  ['another machine', [addressOf(OTHER, '/ip4/192.168.1.5/tcp/1')]],
  ['a name', [addressOf(OTHER, '/dns4/localhost/tcp/1')]],
  ['a relay', [`/ip4/127.0.0.1/tcp/1/p2p/${ME}/p2p-circuit/p2p/${OTHER}`]],
  ['another peer', [addressOf(ME)]],
  ['no peer', ['/ip4/127.0.0.1/tcp/1']],
  ['nonsense', ['/ip4/127.0.0.1.7/tcp/1/p2p/x', 'hello', '']],
])('an address of %s is passed over', async (_what, multiaddrs) => {
  await put({ multiaddrs: [...multiaddrs, addressOf(OTHER)] })
  expect(await nodes().addresses()).toEqual([addressOf(OTHER)])
})

test('files that are no entry are passed over and left alone', async () => {
  await put({ peerId: ME })
  await put({ pid: -1 }, 'a.json')
  await put({ more: 1 }, 'b.json')
  await put({ multiaddrs: Array.from({ length: 9 }, () => addressOf(OTHER)) }, 'c.json')
  await writeFile(join(dir, 'd.json'), '{"peerId":')
  await writeFile(join(dir, 'e.json'), ' '.repeat(5_000) + '{}')
  await mkdir(join(dir, 'f.json'))
  const elsewhere = join(scratch, `${OTHER}.json`)
  await writeFile(elsewhere, JSON.stringify({ peerId: OTHER, pid: process.pid, multiaddrs: [addressOf(OTHER)] }))
  await rm(join(dir, `${OTHER}.json`))
  await symlink(elsewhere, join(dir, `${OTHER}.json`))
  spawnSync('mkfifo', [join(dir, 'g.json')])
  const before = await readdir(dir)
  expect(await nodes().addresses()).toEqual([])
  expect(await readdir(dir)).toEqual(before)
})

test.skipIf(process.getuid === undefined)('a folder that others may write is neither read nor written', async () => {
  await put()
  await chmod(dir, 0o777)
  await nodes().start(signal)
  expect(await readdir(dir)).toEqual([`${OTHER}.json`])
  expect(await nodes().addresses()).toEqual([])
  await chmod(dir, 0o700)
  await symlink(dir, join(scratch, 'link'))
  dir = join(scratch, 'link')
  expect(await nodes().addresses()).toEqual([])
})

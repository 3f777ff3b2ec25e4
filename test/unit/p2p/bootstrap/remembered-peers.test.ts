import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRememberedPeers } from '../../../../src-main/p2p/bootstrap/remembered-peers.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

let dir: string
let file: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  file = join(dir, 'remembered-peers.json')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const open = async (log = createRecordingLog()) => {
  const peers = createRememberedPeers({ log }, { file })
  await peers.load()
  return peers
}

test('peers are found again, the latest first, each with its latest addresses', async () => {
  const peers = await open()
  peers.remember('a', '/a/1')
  peers.remember('b', '/b/1')
  peers.remember('a', '/a/2')
  await peers.save()
  expect((await open()).addresses()).toEqual(['/a/2', '/a/1', '/b/1'])
  expect(await readdir(dir)).toEqual(['remembered-peers.json'])
})

test('an address is forgotten, and with the last one its peer', async () => {
  const peers = await open()
  peers.remember('a', '/a/1')
  peers.remember('a', '/a/2')
  peers.remember('b', '/b/1')
  peers.forget(['/a/2', '/b/1', '/c/1'])
  await peers.save()
  expect((await open()).addresses()).toEqual(['/a/1'])
})

test('no more than 50 peers with 4 addresses each are kept', async () => {
  const peers = await open()
  for (let peer = 0; peer < 80; peer += 1) {
    for (let port = 0; port < 6; port += 1) peers.remember(`peer-${peer}`, `/${peer}/${port}`)
  }
  await peers.save()
  const addresses = (await open()).addresses()
  expect(addresses).toHaveLength(200)
  expect(addresses.slice(0, 5)).toEqual(['/79/5', '/79/4', '/79/3', '/79/2', '/78/5'])
})

test.each(['', '{', '[]', '{"peers":[{"id":1}]}'])('a file that says %j is told and means none', async (content) => {
  await writeFile(file, content)
  const log = createRecordingLog()
  expect((await open(log)).addresses()).toEqual([])
  expect(log.lines.map(({ level }) => level)).toEqual(['warn'])
})

test('nothing is written when nothing changed, and a folder that is gone is told', async () => {
  const log = createRecordingLog()
  const peers = await open(log)
  await peers.save()
  expect(await readdir(dir)).toEqual([])
  peers.remember('a', '/a')
  await rm(dir, { recursive: true })
  await peers.save()
  expect(log.lines.map(({ level }) => level)).toEqual(['warn'])
})

test('peers of a network that was left are not remembered again when they come back, and trusted ones stay', async () => {
  const peers = await open()
  for (const id of ['a', 'b']) peers.remember(id, `/${id}/1`)
  peers.forgetAll((id) => id === 'b')
  peers.remember('a', '/a/1')
  await peers.save()
  expect((await open()).addresses()).toEqual(['/b/1'])
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSwarmKey } from '../../../../src-main/p2p/host/swarm-key.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const KEY = `/key/swarm/psk/1.0.0/\n/base16/\n${'ab'.repeat(32)}`

test('a swarm key is read, whatever its line ends', async () => {
  const file = join(folder, 'swarm.key')
  await writeFile(file, `${KEY.replaceAll('\n', '\r\n')}\r\n`)
  expect(Buffer.from(await readSwarmKey(file)).toString()).toBe(KEY)
})

test.each(['', 'hello', KEY.slice(0, -1), `${KEY}00`])('what is no key is refused by name: %j', async (text) => {
  const file = join(folder, 'swarm.key')
  await writeFile(file, text)
  await expect(readSwarmKey(file)).rejects.toMatchObject({ code: 'invalid_settings', param: 'swarm-key' })
})

test('a file that is not there is told with its name', async () => {
  await expect(readSwarmKey(join(folder, 'none'))).rejects.toMatchObject({ code: 'invalid_settings' })
})

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSharingHandlers } from '../../../src-main/api/handlers/sharing.js'
import { createLiveSettings } from '../../../src-main/config/live-settings.js'
import { createFakeApiKeys } from '../../contract/fake-api-keys.js'
import { createFakeSharing } from '../../contract/fake-sharing.js'
import { loaded } from '../config/given.js'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocf-limits-'))
  file = join(folder, 'config.yaml')
})
afterEach(() => rmSync(folder, { recursive: true }))

const PEER = `12D3KooW${'a'.repeat(44)}`

function open() {
  const { settings, origins } = loaded()
  const logger = { setLevel: () => undefined }
  const live = createLiveSettings({ settings: { ...settings, config: file }, origins, logger })
  const keys = { apiKeys: createFakeApiKeys(), isKeyRequired: () => false }
  const needs = { sharing: createFakeSharing(), settings: live.source, gatewayUrl: () => null, ...keys }
  return { live, set: createSharingHandlers(needs)['limits.set'] }
}
const context = { capabilities: [] }

test('limits.set writes each limit as its setting, and takes an empty list out', async () => {
  const { live, set } = open()
  await set({ queueTimeMs: 1500, maxBodyBytes: 3 * 1024 * 1024, concurrent: 2, blockedPeers: [PEER] }, context)
  expect(readFileSync(file, 'utf8')).toBe(
    `limits.queue-time: 1500ms\nlimits.max-body: 3MiB\nlimits.concurrent: 2\nlimits.block-peers:\n  - ${PEER}\n`,
  )
  await set({ blockedPeers: [], queueTimeMs: 0 }, context)
  expect(readFileSync(file, 'utf8')).toBe('limits.queue-time: 0ms\nlimits.max-body: 3MiB\nlimits.concurrent: 2\n')
  expect(live.current).toMatchObject({ 'limits.queue-time': 0, 'limits.concurrent': 2, 'limits.block-peers': [] })
})

test('limits.set saves none of its limits where one cannot be', async () => {
  const { live, set } = open()
  const before = { ...live.current }
  await expect(set({ concurrent: 2, blockedPeers: ['not a peer'] }, context)).rejects.toMatchObject({
    code: 'invalid_settings',
  })
  expect(existsSync(file)).toBe(false)
  mkdirSync(file)
  await expect(set({ concurrent: 2, queue: 3 }, context)).rejects.toThrow('Nothing was changed.')
  expect(live.current).toEqual(before)
})

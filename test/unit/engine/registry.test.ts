import { afterEach, expect, test, vi } from 'vitest'
import { findRegistry } from '../../../src-main/engine/install/registry.js'

const nowhere = { env: {}, home: '/nonexistent' }

afterEach(() => vi.unstubAllEnvs())

test('the registry is what the setting names, else what npm has', async () => {
  const env = { npm_config_registry: 'https://mirror.test/npm/' }
  expect(await findRegistry({ ...nowhere, setting: ' https://own.test/ ', env })).toBe('https://own.test')
  expect(await findRegistry({ ...nowhere, setting: '', env })).toBe('https://mirror.test/npm')
})

test('where no npm is, it is said where to name one, and how to find its address', async () => {
  // No program is found.
  vi.stubEnv('PATH', '')
  await expect(findRegistry({ ...nowhere, setting: '' })).rejects.toMatchObject({
    code: 'engine_missing',
    message: expect.stringMatching(
      /Settings \(Advanced\).*`ocf engine install --engine\.registry https:\/\/…`.*`npm config get registry`/,
    ) as string,
  })
})

test('a setting that is no address is refused, and nothing else is asked instead', async () => {
  const env = { npm_config_registry: 'https://mirror.test/npm/' }
  await expect(findRegistry({ ...nowhere, setting: 'mirror', env })).rejects.toMatchObject({
    code: 'invalid_settings',
    message: 'engine.registry is no address: it has to begin with https://.',
  })
})

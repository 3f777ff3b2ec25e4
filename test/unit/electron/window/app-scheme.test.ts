import { expect, test, vi } from 'vitest'
import { mayHave } from '../../../../src-main/electron/window/app-scheme.js'

vi.mock('electron', () => ({ protocol: {}, session: {} }))

test('the dashboard may write to the clipboard and reach the gateway, and nobody may anything else', () => {
  expect(mayHave('clipboard-sanitized-write', 'app://ocf/index.html')).toBe(true)
  expect(mayHave('loopback-network', 'app://ocf/index.html')).toBe(true)
  expect(mayHave('loopback-network', 'https://evil.example/')).toBe(false)
  expect(mayHave('clipboard-sanitized-write', 'https://evil.example/')).toBe(false)
  expect(mayHave('clipboard-sanitized-write', 'app://ocf.evil/')).toBe(false)
  for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read', 'openExternal', 'fullscreen']) {
    expect(mayHave(permission, 'app://ocf/index.html'), permission).toBe(false)
  }
})

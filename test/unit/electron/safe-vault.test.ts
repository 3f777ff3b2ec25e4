import { expect, test, vi } from 'vitest'
import type { Preferences } from '../../../src-main/electron/preferences.js'
import { createPlainSecretsNotice, createSafeVault } from '../../../src-main/electron/safe-vault.js'

function vault(store: { backend?: string; isAvailable?: boolean }, platform: NodeJS.Platform = 'linux') {
  const safeStorage = {
    isAsyncEncryptionAvailable: () => Promise.resolve(store.isAvailable ?? true),
    getSelectedStorageBackend: vi.fn(() => store.backend ?? 'gnome_libsecret'),
    encryptStringAsync: (text: string) => Promise.resolve(Buffer.from(text)),
    decryptStringAsync: (sealed: Buffer) => Promise.resolve({ result: sealed.toString(), shouldReEncrypt: true }),
  }
  return { safeStorage, ...createSafeVault({ safeStorage }, { platform }) }
}

test('Electron’s encryption without a password store counts as none', async () => {
  expect(await vault({}).whyNot()).toBeUndefined()
  expect(await vault({ backend: 'basic_text' }).whyNot()).toBe('this desktop has no password store')
  expect(await vault({ isAvailable: false }).whyNot()).toBe('the system’s key store is not available')
})

test('only Linux is asked for its kind of store', async () => {
  const keychain = vault({ backend: 'basic_text' }, 'darwin')
  expect(await keychain.whyNot()).toBeUndefined()
  expect(keychain.safeStorage.getSelectedStorageBackend).not.toHaveBeenCalled()
})

test('a changed key of the store is passed on', async () => {
  const store = vault({})
  expect(await store.open(await store.seal('text'))).toEqual({ text: 'text', isStale: true })
})

test('that keys lie in a file is said once ever, as soon as it can be shown', () => {
  let now = { plainSecretsTold: false } as Preferences
  const preferences = {
    get now() {
      return now
    },
    change: (part: Partial<Preferences>) => void (now = { ...now, ...part }),
  }
  const notice = createPlainSecretsNotice({ preferences })
  const show = vi.fn()
  notice.report('it is a test')
  notice.showWith(show)
  notice.report('it is a test')
  createPlainSecretsNotice({ preferences }).showWith(show)
  expect(show).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ body: 'Only your account can read it. They are in no key store, because it is a test.' }),
  )
})

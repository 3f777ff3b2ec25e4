import { expect, test, vi } from 'vitest'
import type { Preferences } from '../../../src-main/electron/preferences.js'
import { createPlainSecretsNotice, createSafeVault } from '../../../src-main/electron/safe-vault.js'

/** A store whose sealed texts begin as Chromium's do: `v11` with the desktop's password store, `v10` without one. */
function vault(store: { mark?: string; isAvailable?: boolean }, platform: NodeJS.Platform = 'linux') {
  const safeStorage = {
    isAsyncEncryptionAvailable: () => Promise.resolve(store.isAvailable ?? true),
    encryptStringAsync: (text: string) => Promise.resolve(Buffer.from(`${store.mark ?? 'v11'}${text}`)),
    decryptStringAsync: (sealed: Buffer) =>
      Promise.resolve({ result: sealed.toString().slice(3), shouldReEncrypt: store.mark === 'old' }),
  }
  return createSafeVault({ safeStorage }, { platform })
}

test('on Linux a text that is sealed with the password from Chromium’s source counts as not sealed', async () => {
  expect(await vault({}).whyNot()).toBeUndefined()
  expect(await vault({ mark: 'v10' }).whyNot()).toBe('this desktop has no password store')
  expect(await vault({ isAvailable: false }).whyNot()).toBe('the system’s key store is not available')
})

test('on macOS and Windows the same mark is the key store’s own', async () => {
  expect(await vault({ mark: 'v10' }, 'darwin').whyNot()).toBeUndefined()
  expect(await vault({ mark: 'v10' }, 'win32').whyNot()).toBeUndefined()
})

test('what was sealed with an old key, or with the password from the source, is to be sealed anew', async () => {
  const stale = async (store: Parameters<typeof vault>[0]): Promise<unknown> => {
    const vaulted = vault(store)
    return vaulted.open(await vaulted.seal('text'))
  }
  expect(await stale({})).toEqual({ text: 'text', isStale: false })
  expect(await stale({ mark: 'old' })).toEqual({ text: 'text', isStale: true })
  expect(await stale({ mark: 'v10' })).toEqual({ text: 'text', isStale: true })
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

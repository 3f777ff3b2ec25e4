import type { Vault } from '../services/secrets/index.js'
import type { Notice } from './notices.js'
import type { PreferencesFile } from './preferences.js'

/** The part of Electron's `safeStorage` that is used. */
export interface SafeStorage {
  isAsyncEncryptionAvailable(): Promise<boolean>
  encryptStringAsync(text: string): Promise<Buffer>
  decryptStringAsync(sealed: Buffer): Promise<{ result: string; shouldReEncrypt: boolean }>
}

/** How Chromium on Linux begins what it encrypts with a password that is in its source: the desktop has no key store. */
const PUBLIC_PASSWORD = Buffer.from('v10')

/** Keychain, DPAPI or the desktop's password store through Electron; use it only once the app is ready. */
export function createSafeVault(
  needs: { safeStorage: SafeStorage },
  options: { platform: NodeJS.Platform } = process,
): Vault {
  const { safeStorage } = needs
  const isPublic = (sealed: Buffer): boolean =>
    options.platform === 'linux' && sealed.subarray(0, PUBLIC_PASSWORD.length).equals(PUBLIC_PASSWORD)
  return {
    async whyNot() {
      if (!(await safeStorage.isAsyncEncryptionAvailable())) return 'the system’s key store is not available'
      // The desktop's name says nothing of what runs on it. What comes out of the encryption does.
      if (options.platform === 'linux' && isPublic(await safeStorage.encryptStringAsync('a probe'))) {
        return 'this desktop has no password store'
      }
      return undefined
    },
    seal: (text) => safeStorage.encryptStringAsync(text),
    async open(sealed) {
      const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(sealed)
      return { text: result, isStale: shouldReEncrypt || isPublic(sealed) }
    },
  }
}

/** The notice that keys are in a file, not in a key store: shown once ever, as soon as it can be shown. */
export interface PlainSecretsNotice {
  /** Keys are in a file; `why` is the reason. */
  report(why: string): void
  /** From now on notices can be shown with `show`. */
  showWith(show: (notice: Notice) => void): void
}

/** The notice, held back until it can be shown. */
export function createPlainSecretsNotice(needs: { preferences: PreferencesFile }): PlainSecretsNotice {
  const { preferences } = needs
  let reason: string | undefined
  let show: ((notice: Notice) => void) | undefined

  function tryShow(): void {
    if (reason === undefined || show === undefined || preferences.now.plainSecretsTold) return
    preferences.change({ plainSecretsTold: true })
    show({
      title: 'Keys are kept in a file',
      body: `Only your account can read it. They are in no key store, because ${reason}.`,
      page: 'share',
    })
  }

  return {
    report(why) {
      reason = why
      tryShow()
    },
    showWith(shown) {
      show = shown
      tryShow()
    },
  }
}

import type { Vault } from '../services/secrets/index.js'

/** What is used of Electron's `safeStorage`. */
export interface SafeStorage {
  isAsyncEncryptionAvailable(): Promise<boolean>
  /** Linux only. */
  getSelectedStorageBackend(): string
  encryptStringAsync(text: string): Promise<Buffer>
  decryptStringAsync(sealed: Buffer): Promise<{ result: string; shouldReEncrypt: boolean }>
}

/** Keychain, DPAPI or the desktop's password store, by Electron; the app has to be ready when it is used. */
export function createSafeVault(
  needs: { safeStorage: SafeStorage },
  options: { platform: NodeJS.Platform } = process,
): Vault {
  const { safeStorage } = needs
  return {
    async whyNot() {
      // There the "encryption" has a password that everybody knows.
      if (options.platform === 'linux' && safeStorage.getSelectedStorageBackend() === 'basic_text') {
        return 'this desktop has no password store'
      }
      if (!(await safeStorage.isAsyncEncryptionAvailable())) return 'the system’s key store is not available'
      return undefined
    },
    seal: (text) => safeStorage.encryptStringAsync(text),
    async open(sealed) {
      const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(sealed)
      return { text: result, isStale: shouldReEncrypt }
    },
  }
}

export { type ApiKey, type ApiKeys, createApiKeys, type KeyHolder } from './api-keys.js'
export { createSecretFile } from './secret-file.js'

/** Where the keys of the owner's servers and of kept chats lie: sealed by the system's key store, or readable by the owner alone. */
export interface SecretStore {
  /** @throws AppError `secret_unreadable` for one that is kept but can't be opened; it stays as it is */
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
  /** Whether it is kept sealed by a key store, and not as it is in a file. */
  isSealed(name: string): Promise<boolean>
  /** Forgets it; nothing happens where there is none. */
  remove(name: string): Promise<void>
}

/** The system's key store: seals text so that only this account on this machine can open it. */
export interface Vault {
  /** Why nothing can be sealed, in words that follow "because"; undefined when it can. */
  whyNot(): Promise<string | undefined>
  seal(text: string): Promise<Buffer>
  /** `isStale`: the store's key has changed, so the text should be sealed anew. */
  open(sealed: Buffer): Promise<{ text: string; isStale: boolean }>
}

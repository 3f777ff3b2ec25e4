export { createSecretFile } from './secret-file.js'

/** Where the keys of the owner's servers are kept: the system's key store, or a file only the owner can read. */
export interface SecretStore {
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
  /** Forgets it; nothing happens where there is none. */
  remove(name: string): Promise<void>
}

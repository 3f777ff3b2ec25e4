import type { Log } from '../../logging/index.js'
import type { Vault } from './index.js'

/** A value that only a key store can open. */
interface Sealed {
  /** Base64. */
  sealed: string
}

/** Seals values where that is possible. */
export interface Sealing {
  /** The text as it is where nothing can be sealed. Never rejects. */
  seal(text: string): Promise<string | Sealed>
  /** Rejects when it can't be opened. */
  open(value: Sealed): Promise<{ text: string; isStale: boolean }>
}

/** Sealing by a vault; without one, every text stays as it is, and nothing is said, since no more was expected. */
export function createSealing(needs: {
  log: Log
  vault: Vault | undefined
  onPlain: ((why: string) => void) | undefined
}): Sealing {
  const { log, vault } = needs
  let warned = false

  function stayPlain(text: string, why: string): string {
    if (!warned) {
      warned = true
      log.warn('keys lie in a file that only this account can read, not in a key store', { why })
      needs.onPlain?.(why)
    }
    return text
  }

  return {
    async seal(text) {
      if (vault === undefined) return text
      try {
        const why = await vault.whyNot()
        if (why !== undefined) return stayPlain(text, why)
        const sealed = await vault.seal(text)
        // Once the plain one is gone there is no way back: it has to be seen that this one opens.
        if ((await vault.open(sealed)).text !== text) throw new Error('What was sealed opens as something else.')
        return { sealed: sealed.toString('base64') }
      } catch (error) {
        log.error('the system’s key store failed', { error })
        return stayPlain(text, 'the system’s key store failed')
      }
    },
    async open({ sealed }) {
      if (vault === undefined) throw new Error('There is no key store here.')
      return vault.open(Buffer.from(sealed, 'base64'))
    },
  }
}

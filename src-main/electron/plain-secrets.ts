import type { Notice } from './notices.js'
import type { PreferencesFile } from './preferences.js'

/** The message that keys lie in a file and not in a key store: once ever, as soon as there is a way to show it. */
export interface PlainSecretsNotice {
  /** It is so, because of `why`. */
  report(why: string): void
  /** Messages can be shown from now on. */
  showWith(show: (notice: Notice) => void): void
}

/** The message, kept back until it can be shown. */
export function createPlainSecretsNotice(needs: { preferences: PreferencesFile }): PlainSecretsNotice {
  const { preferences } = needs
  let reason: string | undefined
  let show: ((notice: Notice) => void) | undefined

  function tell(): void {
    if (reason === undefined || show === undefined || preferences.now.plainSecretsTold) return
    preferences.change({ plainSecretsTold: true })
    show({
      title: 'Keys of your servers are kept in a file',
      body: `Only your account can read it. They are in no key store, because ${reason}.`,
      page: 'share',
    })
  }

  return {
    report(why) {
      reason = why
      tell()
    },
    showWith(shown) {
      show = shown
      tell()
    },
  }
}

import type { IdentityKeeper } from '../../p2p/index.js'
import type { Handlers } from '../dispatch.js'

/** What the identity topic reads and changes. */
export interface IdentityNeeds {
  identity: IdentityKeeper
}

/** `identity.*`. */
export function createIdentityHandlers({
  identity,
}: IdentityNeeds): Pick<Handlers, 'identity.get' | 'identity.backup' | 'identity.inspect' | 'identity.restore'> {
  return {
    'identity.get': () => identity.view(),
    'identity.backup': ({ passphrase }) => identity.backup(passphrase),
    'identity.inspect': ({ text }) => identity.inspect(text),
    'identity.restore': ({ text, passphrase }) => identity.restore(text, passphrase),
  }
}

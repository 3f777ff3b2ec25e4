import type { KeyView } from '#shared/contract/node/keys.js'
import type { ApiKey, ApiKeys } from '../../services/secrets/index.js'
import type { KeyUsageBook } from '../../telemetry/index.js'
import type { Handlers } from '../dispatch.js'

/** What the topic of API keys reads and changes. */
export interface KeysNeeds {
  apiKeys: Pick<ApiKeys, 'list' | 'add' | 'revoke' | 'own'>
  keyUsage: KeyUsageBook
  /** Whether the gateway asks for a key. */
  isKeyRequired(): boolean
}

/** `keys.*`. */
export function createKeysHandlers(needs: KeysNeeds): Pick<Handlers, Extract<keyof Handlers, `keys.${string}`>> {
  const { apiKeys, keyUsage } = needs
  const viewOf = (entry: ApiKey): KeyView => ({ ...entry, usage: keyUsage.of(entry.name) })
  return {
    'keys.list': () => ({ required: needs.isKeyRequired(), keys: apiKeys.list().map(viewOf) }),
    async 'keys.add'({ name }) {
      const { key, entry } = await apiKeys.add(name)
      keyUsage.forget(name)
      return { key, entry: viewOf(entry) }
    },
    async 'keys.revoke'({ key }) {
      return { revoked: viewOf(await apiKeys.revoke(key)) }
    },
    'keys.own': () => ({ key: ownKey(needs) }),
  }
}

/** What this node's own pages and commands show at its gateway; null where it asks for no key. */
export function ownKey({ apiKeys, isKeyRequired }: Pick<KeysNeeds, 'apiKeys' | 'isKeyRequired'>): string | null {
  return isKeyRequired() ? apiKeys.own : null
}

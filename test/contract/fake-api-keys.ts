import { AppError } from '#shared/errors.js'
import type { ApiKey, ApiKeys } from '../../src-main/services/secrets/index.js'

/** Keys in memory; `phone` is there from the beginning. */
export function createFakeApiKeys(): Pick<ApiKeys, 'list' | 'add' | 'revoke' | 'own'> {
  let entries: ApiKey[] = [entryOf('phone')]
  return {
    own: `ocf_${'o'.repeat(43)}`,
    list: () => [...entries],
    add(name) {
      if (!entries.some((entry) => entry.name === name)) entries.push(entryOf(name))
      return Promise.resolve({ key: `ocf_${'k'.repeat(43)}`, entry: entryOf(name) })
    },
    revoke(nameOrId) {
      const entry = entries.find(({ name, id }) => name === nameOrId || id === nameOrId)
      entries = entries.filter((one) => one !== entry)
      return entry === undefined ? Promise.reject(new AppError('not_found', 'none')) : Promise.resolve(entry)
    },
  }
}

function entryOf(name: string): ApiKey {
  return {
    id: Buffer.from(name).toString('hex').padEnd(12, '0').slice(0, 12),
    name,
    createdDay: '2026-01-31',
    lastUsedDay: null,
  }
}

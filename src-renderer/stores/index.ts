import type { Client } from '#shared/contract/client.js'
import { createCallStore } from './call-store.js'
import { createFeedStore } from './feed-store.js'

/** One store per topic. */
export function createStores(client: Client) {
  return {
    status: createFeedStore(client, 'status'),
    peers: createFeedStore(client, 'peers'),
    models: createFeedStore(client, 'models'),
    services: createFeedStore(client, 'services'),
    logs: createFeedStore(client, 'logs'),
    traffic: createFeedStore(client, 'traffic'),
    settings: createCallStore(client, 'settings.list', {}),
  }
}

export type Stores = ReturnType<typeof createStores>

import type { Client } from '#shared/contract/client.js'
import { createCallStore } from './call-store.js'
import { Chats } from './chats/index.js'
import { ChatKeeper } from './chats/keeper.js'
import { createFeedStore } from './feed-store.js'

/** One store per topic, and the client for what is done rather than shown. */
export function createStores(client: Client) {
  const chats = new Chats(client)
  return {
    client,
    chats,
    keeper: new ChatKeeper(client, chats),
    /** The two sides of a comparison: each is asked the same. */
    compared: [new Chats(client), new Chats(client)] as const,
    status: createFeedStore(client, 'status'),
    peers: createFeedStore(client, 'peers'),
    bootstrap: createFeedStore(client, 'bootstrap'),
    models: createFeedStore(client, 'models'),
    services: createFeedStore(client, 'services'),
    logs: createFeedStore(client, 'logs'),
    traffic: createFeedStore(client, 'traffic'),
    settings: createCallStore(client, 'settings.list', {}),
    detection: createFeedStore(client, 'detection'),
    shares: createFeedStore(client, 'shares'),
    engine: createFeedStore(client, 'engine'),
    pause: createFeedStore(client, 'pause'),
    limits: createFeedStore(client, 'limits'),
    ledger: createFeedStore(client, 'ledger'),
    people: createFeedStore(client, 'people'),
    invites: createFeedStore(client, 'invites'),
    joining: createFeedStore(client, 'joining'),
    nearby: createFeedStore(client, 'nearby'),
    pairings: createFeedStore(client, 'pairings'),
    update: createFeedStore(client, 'update'),
    doctor: createFeedStore(client, 'doctor'),
    capabilities: createCallStore(client, 'node.capabilities', {}),
  }
}

export type Stores = ReturnType<typeof createStores>

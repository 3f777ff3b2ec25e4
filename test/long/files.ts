/**
 * Files that only `npm run test:long` runs: minutes of waiting or twenty nodes at once. What each promises has a shorter
 * test in every check, which stands beside it.
 */
export const ONLY_LONG = [
  // test/integration/silence.test.ts and netns-death.test.ts: a peer that vanishes without a word; netns-nat.test.ts: a relay.
  'test/integration/netns-silence.test.ts',
  // test/unit/node-table/replicate/identity-watch.test.ts
  'test/integration/one-identity-twice.test.ts',
  // test/e2e/pages/large.test.ts: ten thousand requests are scrolled through without drawing them all
  'test/e2e/walk/busy-traffic.test.ts',
]

/** Files that do more in the long run than in a check: `test/fixtures/long-run.ts` says which it is. */
export const LONGER = [
  'test/e2e/desktop-systems.test.ts',
  'test/integration/forged-rows.test.ts',
  'test/integration/hostile-peers.test.ts',
  'test/integration/netns-death.test.ts',
  'test/integration/netns-join.test.ts',
  'test/integration/node-table-store.test.ts',
  'test/integration/p2p-floods.test.ts',
  'test/integration/p2p-network.test.ts',
  'test/integration/provider-death.test.ts',
  'test/integration/silence.test.ts',
  'test/unit/base/json/object.test.ts',
]

/** Which way a request came in: from this machine's apps, or from another peer over libp2p. */
export type Door = 'local' | 'peer'

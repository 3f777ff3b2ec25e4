/**
 * Where a node serves its own services: all of them to this machine's programs, to peers what is shared of them. Nodes ask
 * each other under it, so another name would be another protocol.
 */
export const OWN_SERVICE_PREFIX = '/v1/_service/'

/** Where a node serves the services of the whole network, to this machine's programs only. */
export const ANY_SERVICE_PREFIX = '/v1/service/'

/** Where a node tells addresses under which others find the network. */
export const BOOTSTRAPS_PATH = '/v1/dnt/bootstraps'

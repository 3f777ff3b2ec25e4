export type { ProviderHealth as Reachability } from './provider-health.js'

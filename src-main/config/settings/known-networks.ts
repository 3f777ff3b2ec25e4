import networks from '../../../assets/networks.json' with { type: 'json' }

/** A public network that can be joined by its name; nothing of it is contacted before a person picks it. */
export interface KnownNetwork {
  /** As `network` and `ocf join` take it. */
  readonly name: string
  readonly title: string
  /** `ocf`: of nodes like this one. `go`: of nodes of the Go program; see the setting `go-network`. */
  readonly kind: 'ocf' | 'go'
  readonly runBy: string
  /** What joining means for the person, in a sentence or two. */
  readonly meaning: string
  /** Bootstrap sources. */
  readonly sources: readonly string[]
}

/** The setting's value for none of them. */
export const NO_NETWORK = 'none'

/** All of `assets/networks.json`. */
export const KNOWN_NETWORKS: readonly KnownNetwork[] = networks as KnownNetwork[]

/** The one of that name, in whatever case it was typed. */
export const knownNetwork = (name: string): KnownNetwork | undefined =>
  KNOWN_NETWORKS.find((network) => network.name === name.toLowerCase())

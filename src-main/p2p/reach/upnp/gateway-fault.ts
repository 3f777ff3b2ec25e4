/** What keeps a router from opening ports, in classes a person does different things about. */
export type GatewayProblemKind =
  /** It is behind another router. */
  | 'private-address'
  /** What it tells as its external address cannot be one. */
  | 'bad-address'
  /** It announced itself and then says nothing, or nothing in time. */
  | 'no-answer'
  /** It says something that is not UPnP, or points elsewhere. */
  | 'bad-answer'
  /** It understood and said no. */
  | 'refused'

/** Why a router is of no use, with words for a person that continue "it answered, but …". */
export interface GatewayProblem {
  kind: GatewayProblemKind
  text: string
}

/** A router did not do what it was asked to. */
export class GatewayFault extends Error {
  readonly problem: GatewayProblem
  /** UPnP's error code; undefined where the router gave none. */
  readonly code: number | undefined

  constructor(kind: GatewayProblemKind, text: string, code?: number) {
    super(text)
    this.name = 'GatewayFault'
    this.problem = { kind, text }
    this.code = code
  }
}

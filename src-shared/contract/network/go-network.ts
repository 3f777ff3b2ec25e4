import { z } from 'zod'

/** How this node takes part in a network of the Go implementation; absent where it does not. */
export const GoNetworkSchema = z.object({
  /** `use`: its models are listed here. `share`: what this node shares with everyone is offered there as well. */
  mode: z.enum(['use', 'share']),
  /** Nodes of it that are connected. */
  nodes: z.number().int(),
  /** Providers of it that said themselves what they offer. */
  providers: z.number().int(),
  /** What is offered there; absent in the mode `use`. */
  shared: z
    .object({
      models: z.number().int(),
      /** Nodes whose own table has this node as it is, and those whose table has it not. */
      listedBy: z.number().int(),
      notListedBy: z.number().int(),
    })
    .optional(),
})
/** This node’s part in a network of the Go implementation. */
export type GoNetworkView = z.output<typeof GoNetworkSchema>

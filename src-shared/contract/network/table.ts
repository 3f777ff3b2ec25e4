import { z } from 'zod'
import { PeerSchema } from '../../records.js'
import { defineCall } from '../define.js'
import { StandingSchema } from './peers.js'

/** A row of the node table as this node verified it. */
const RowViewSchema = z.object({
  peerId: z.string(),
  self: z.boolean(),
  connected: z.boolean(),
  /** Whether its owner is known to be there at all. */
  standing: StandingSchema,
  record: PeerSchema,
  seq: z.number(),
  /** UTC day number since 1970-01-01. */
  epoch: z.number(),
  /** Unix milliseconds. */
  expiresAtMs: z.number(),
})

/** Calls that read the node table. */
export const tableCalls = {
  'table.rows': defineCall('The node table: connected peers, or all known ones.', {
    input: z.strictObject({ all: z.boolean().default(false) }),
    output: z.array(RowViewSchema),
  }),
}

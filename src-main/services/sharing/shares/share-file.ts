import { z } from 'zod'
import { ServerKindSchema } from '#shared/contract/detection.js'
import { AliasSchema } from '#shared/contract/shares.js'
import { isHost } from '../../registry/target.js'

const port = z.number().int().min(1).max(65_535)

/** One share as it is kept; the key stands elsewhere. */
export const KeptShareSchema = z.object({
  host: z.string().refine(isHost),
  port,
  kind: ServerKindSchema.exclude(['gateway']),
  basePath: z.enum(['', '/engines', '/api']).default(''),
  healthPath: z.string().regex(/^\/[\x21-\x7e]*$/),
  models: z.union([z.literal('all'), z.array(z.string().min(1).max(1024)).max(1000)]),
  aliases: z.array(AliasSchema).max(50).default([]),
  /** Unix milliseconds. */
  sharedAtMs: z.number().default(0),
})
export type KeptShare = z.output<typeof KeptShareSchema>

/** `shares.json`. One odd entry does not spoil the others, so they are read one by one. */
export const ShareFileSchema = z.object({ format: z.literal(1), shares: z.array(z.unknown()).max(64) })

/** The file's content for these shares. */
export function shareFile(shares: readonly KeptShare[]): z.input<typeof ShareFileSchema> {
  return { format: 1, shares: [...shares] }
}

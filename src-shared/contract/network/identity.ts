import { z } from 'zod'
import { defineCall, NoInputSchema } from '../define.js'

/** Fewer characters protect nothing. */
export const MIN_PASSPHRASE_LENGTH = 8
/** A backup is some hundred characters, and some hundred more a person; anything far longer is another file. */
export const MAX_BACKUP_LENGTH = 950 * 1024

const BackupTextSchema = z.string().min(1).max(MAX_BACKUP_LENGTH)
const PassphraseSchema = z.string().min(1).max(1024)

/** Whose key this node has, now and after its next start. */
const IdentityViewSchema = z.object({
  peerId: z.string(),
  /** It comes from the setting `seed` and stands in no file. */
  seeded: z.boolean(),
  /** Where the key lies. */
  file: z.string(),
  /** The peer id after the next start, where a backup was restored; null where it stays as it is. */
  nextPeerId: z.string().nullable(),
})
/** The peer id of this node, now and after its next start. */
export type IdentityView = z.output<typeof IdentityViewSchema>

/** What a backup says without its passphrase; the peer id is proven only by restoring it. */
const BackupViewSchema = z.object({
  peerId: z.string(),
  /** Unix milliseconds. */
  madeAtMs: z.number(),
  /** It holds the key this node will start with anyhow. */
  same: z.boolean(),
})
/** The readable part of a backup: its peer id and its time in Unix milliseconds. */
export type BackupView = z.output<typeof BackupViewSchema>

/** Calls about this node’s key: show, back up, inspect and restore it. */
export const identityCalls = {
  'identity.get': defineCall('Whose key this node has, now and after its next start.', {
    input: NoInputSchema,
    output: IdentityViewSchema,
  }),
  'identity.backup': defineCall(
    'The key of this node and whom it trusts, locked with a passphrase, as the text of a file to keep.',
    {
      input: z.strictObject({ passphrase: PassphraseSchema.min(MIN_PASSPHRASE_LENGTH) }),
      output: z.object({ fileName: z.string(), text: z.string() }),
    },
  ),
  'identity.inspect': defineCall('What a backup says about itself; nothing is changed.', {
    input: z.strictObject({ text: BackupTextSchema }),
    output: BackupViewSchema,
  }),
  'identity.restore': defineCall('Takes the key of a backup for the next start; the one that was there is kept.', {
    input: z.strictObject({ text: BackupTextSchema, passphrase: PassphraseSchema }),
    output: z.object({
      identity: IdentityViewSchema,
      /** The file the key that was there is kept in; null where it was the same key and nothing changed. */
      keptAs: z.string().nullable(),
      /** People of the backup that are trusted now and were not before. */
      people: z.number().int(),
    }),
  }),
}

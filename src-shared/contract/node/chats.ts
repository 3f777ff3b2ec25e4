import { z } from 'zod'
import { defineCall, NoInputSchema } from '../define.js'

/** Bytes of all kept conversations together; the ones that were used longest ago go first. */
export const MAX_KEPT_BYTES = 32 * 1024 * 1024
/** Conversations that are kept at most. */
export const MAX_KEPT_CONVERSATIONS = 500

/** A conversation of the chat page. The node stores its text and never looks into it. */
export const KeptConversationSchema = z.strictObject({
  id: z.string().min(1).max(64),
  /** JSON that the page alone understands. Longer than what is kept, so that the node can say what is wrong. */
  text: z.string().max(2 * MAX_KEPT_BYTES),
})
/** A conversation as it is stored. */
export type KeptConversation = z.output<typeof KeptConversationSchema>

/** Calls of the chat page, which keeps conversations on this computer where the setting `chats.keep` says so. */
export const chatsCalls = {
  'chats.load': defineCall('The kept conversations; none while chats are not kept.', {
    input: NoInputSchema,
    output: z.object({
      /** Whether `chats.keep` is on. */
      keep: z.boolean(),
      /** Whether the key that encrypts them is sealed by the system’s key store. */
      sealed: z.boolean(),
      /** Whether a file with conversations lies in the data folder, also while chats are not kept. */
      stored: z.boolean(),
      /** Files in the data folder that could not be read and were set aside. */
      setAside: z.array(z.string()),
      /** The one that was used last comes first. */
      conversations: z.array(KeptConversationSchema),
    }),
  }),
  'chats.save': defineCall('Stores all conversations in place of those before; refused while chats are not kept.', {
    // Twice what is kept, so that the node can say which ones are too many.
    input: z.strictObject({ conversations: z.array(KeptConversationSchema).max(MAX_KEPT_CONVERSATIONS * 2) }),
    output: z.object({
      /** Ids of those that were left out, as they were too many or too large together. */
      dropped: z.array(z.string()),
    }),
  }),
  'chats.forget': defineCall('Deletes the stored conversations, those set aside, and their key.', {
    input: NoInputSchema,
    output: z.object({}),
  }),
}

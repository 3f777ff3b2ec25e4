import { z } from 'zod'
import { defineCall, NoInputSchema } from '../define.js'
import { MAX_PASTED_LENGTH } from '../people/invites.js'

/**
 * What a text that was to be joined was taken for. `invite`: of a person; `network-key`: the key of a private network;
 * `network`: the name of one; `address`: of a node, in any form; `unknown`: nothing of these.
 */
const JoinKindSchema = z.enum(['invite', 'network-key', 'network', 'address', 'unknown'])
const JoinResultSchema = z.object({
  kind: JoinKindSchema,
  /** `joined`; `restart-needed`: it goes on in that network after a restart; `failed`: nothing has changed. */
  state: z.enum(['joined', 'restart-needed', 'failed']),
  /** What came of it, for a person, with what to do next. */
  sentence: z.string(),
  /** It failed only because it takes another network: `network.join` with `switchNetwork` goes over into that. */
  canSwitch: z.boolean(),
  /** Whose invite it was; null for everything else. */
  peerId: z.string().nullable(),
})
/** What came of joining. */
export type JoinResult = z.output<typeof JoinResultSchema>

const KnownNetworkSchema = z.object({
  /** As `network.join` takes it. */
  name: z.string(),
  title: z.string(),
  /** `ocf`: of nodes like this one. `go`: of nodes of the Go program, whose list of providers is unsigned. */
  kind: z.enum(['ocf', 'go']),
  runBy: z.string(),
  /** What joining means for the person. */
  meaning: z.string(),
})

const NetworkViewSchema = z.object({
  /** What the private network is called here; null in the open one. */
  privateName: z.string().nullable(),
  /** The same after the next start. */
  nextPrivateName: z.string().nullable(),
  /** The public network that was joined by its name; null without one. */
  known: z.string().nullable(),
  /** Sources that were joined and are asked at each start. */
  joined: z.array(z.string()),
  /** Public networks that can be picked by name. */
  choices: z.array(KnownNetworkSchema),
  /** False where a flag or the environment says which network. */
  canSwitch: z.boolean(),
  /** The program can restart its node when it is asked to: `node.restart`. */
  canRestart: z.boolean(),
})
/** Which network this node is in, and what it joined. */
export type NetworkView = z.output<typeof NetworkViewSchema>

const ChangeSchema = z.object({ sentence: z.string(), restartNeeded: z.boolean() })

/** Calls about the network this node is in: joining, founding and leaving one. */
export const joinCalls = {
  'network.get': defineCall('Which network this node is in, and what it joined.', {
    input: NoInputSchema,
    output: NetworkViewSchema,
  }),
  'network.join': defineCall(
    'Joins whatever the text is: an invite, an address, a host, a URL, the name or the key of a network. Takes up to half a minute.',
    {
      input: z.strictObject({
        text: z.string().max(MAX_PASTED_LENGTH),
        /** For what leads into another network: takes that one for the next start, and goes on then. */
        switchNetwork: z.boolean().default(false),
      }),
      output: JoinResultSchema,
    },
  ),
  'network.create': defineCall('Makes a private network; this node is in it after its next start.', {
    input: z.strictObject({ name: z.string().max(64) }),
    output: ChangeSchema,
  }),
  'network.key': defineCall('The key of the private network as one line; whoever has it can enter.', {
    input: NoInputSchema,
    output: z.object({ text: z.string() }),
  }),
  'network.leave': defineCall('Forgets one source that was joined, or without one the network and all of them.', {
    input: z.strictObject({ what: z.string().max(2048).optional() }),
    output: ChangeSchema,
  }),
}

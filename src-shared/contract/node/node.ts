import { z } from 'zod'
import { defineCall, defineStateFeed, NoInputSchema } from '../define.js'
import { GoNetworkSchema } from '../network/go-network.js'
import { PathKindSchema } from '../network/peers.js'

/** What a node says that wants peers and has none, the same wherever it is asked, with what to do next. */
export const NO_PEERS_YET =
  'This node has met no one yet: paste an invite or an address at `ocf join`, or invite someone with `ocf invite`.'

/** How this node takes part: alone, in a network of its own, or in the public one. */
const ModeSchema = z.enum(['standalone', 'local', 'node'])

/** What the place that shows the interface can do besides; the renderer asks for these, never "is this Electron". */
const CapabilitySchema = z.enum(['open-external', 'self-update', 'autostart', 'notifications', 'close-to-tray'])
/** Something the place that shows the interface can do besides. */
export type Capability = z.output<typeof CapabilitySchema>

/**
 * The facts behind the status pill; the sentence is made where it is shown.
 * `paused`: sharing is paused, by hand or while there is something to share. `sharing`: peers can use models of this
 * computer. `connected`: peers, but nothing shared. `alone`: no peer is
 * connected although the mode wants some. `standalone`: no peer is wanted.
 */
const NodeStateSchema = z.object({
  kind: z.enum(['paused', 'sharing', 'connected', 'alone', 'standalone']),
  /** The best kind of path to any peer; null without peers. */
  path: z.enum(['direct', 'relayed']).nullable(),
  /** Why sharing is paused, for a person, and until when (Unix milliseconds; null where nobody knows); only while it is. */
  pause: z.object({ sentence: z.string(), untilMs: z.number().nullable() }).optional(),
  /** What keeps this node from doing its work, as the doctor says it: the id of its check, and the check in a few words. */
  cause: z.object({ check: z.string(), sentence: z.string() }).optional(),
})

/** Who this node is and how it fares. */
export const StatusSchema = z.object({
  peerId: z.string(),
  version: z.string(),
  mode: ModeSchema,
  /** Unix milliseconds. */
  startedAtMs: z.number(),
  /** The base address apps on this machine use, without `/v1`; null while the gateway has no port. */
  gatewayUrl: z.string().nullable(),
  /** Addresses other peers can dial, each with `/p2p/<peerId>`. */
  multiaddrs: z.array(z.string()),
  /** Connected now. */
  peers: z.number().int(),
  /** How they are connected, each counted by its best path; best first. Which peer has which is in `peers.list`. */
  paths: z.array(z.object({ path: PathKindSchema, peers: z.number().int() })),
  /** Rows of the node table besides this node's own. */
  knownPeers: z.number().int(),
  models: z.object({ available: z.number().int(), shared: z.number().int() }),
  /** Since midnight on this machine's clock, also over restarts. `unanswered`: no provider was asked. */
  requestsToday: z.object({
    ...{ in: z.number().int(), out: z.number().int(), local: z.number().int() },
    unanswered: z.number().int().default(0),
  }),
  state: NodeStateSchema,
  /** Its part in a network of the Go implementation; absent where it takes none. */
  goNetwork: GoNetworkSchema.optional(),
  /** What the person should know once, in a sentence each; absent where there is nothing. */
  notices: z.array(z.object({ id: z.enum(['shares-upgraded']), sentence: z.string() })).optional(),
})
/** This node’s status; times in Unix milliseconds. */
export type Status = z.output<typeof StatusSchema>

/** A GPU of this computer as its driver tells it now. */
const GpuViewSchema = z.object({
  name: z.string(),
  memoryMiB: z.number(),
  usedMiB: z.number(),
  /** Percent of the last moments in which it computed; null where the driver does not say. */
  busyPercent: z.number().nullable(),
  /** Degrees Celsius; null where the driver does not say. */
  celsius: z.number().nullable(),
})
/** A GPU of this computer as its driver tells it now. */
export type GpuView = z.output<typeof GpuViewSchema>

/** Calls about this node and the place the interface runs in. */
export const nodeCalls = {
  'node.status': defineCall('Who this node is and how it fares.', { input: NoInputSchema, output: StatusSchema }),
  'node.capabilities': defineCall('What the caller can ask of the place it runs in.', {
    input: NoInputSchema,
    output: z.array(CapabilitySchema),
  }),
  'node.gpus': defineCall(
    'The GPUs of this computer, at most five seconds old; none where the machine tells of none.',
    {
      input: NoInputSchema,
      output: z.array(GpuViewSchema),
    },
  ),
  'node.restart': defineCall('Restarts the node with what was saved; this answer comes before it stops.', {
    input: NoInputSchema,
    /** False where the program that runs it can’t: it has to be started again by hand. */
    output: z.object({ restarting: z.boolean() }),
  }),
  'node.stop': defineCall('Ends the node and the program that runs it; this answer comes before it stops.', {
    input: NoInputSchema,
    /** False where the program that runs it can’t: it has to be stopped by hand. */
    output: z.object({
      stopping: z.boolean(),
      /** The process that will be gone then. */
      pid: z.number().int().positive(),
    }),
  }),
}

/** The feed of this node’s status. */
export const nodeFeeds = {
  status: defineStateFeed('The same as node.status, as it changes.', StatusSchema),
}

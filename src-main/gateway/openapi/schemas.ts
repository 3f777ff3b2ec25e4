import { z } from 'zod'
import { PathKindSchema, StandingSchema } from '#shared/contract/network/peers.js'
import { ERRORS } from '#shared/errors.js'
import { PeerSchema } from '#shared/records.js'

const ErrorAnswer = z
  .object({
    error: z.object({
      message: z.string().describe('What happened and what to do.'),
      type: z.string(),
      code: z.enum(Object.keys(ERRORS)).describe('One of a closed list; programs may rely on it.'),
      param: z.string().nullable().describe('The field of the request that is at fault.'),
      request_id: z.string().describe('Also in the header X-Request-Id and in the log.'),
    }),
  })
  .describe('The shape of every error.')

const Health = z.object({
  status: z.literal('ok'),
  peer_id: z.string(),
  version: z.string(),
  uptime_s: z.number().int(),
})

const Model = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.number().int().describe('Unix seconds; 0 where nobody told.'),
  owned_by: z.string(),
  ocf: z.object({
    providers: z.number().int().describe('Peers that can serve it now, this node included.'),
    unsigned: z.number().int().optional().describe('How many of them are providers of the unsigned OpenTela network.'),
    local: z.boolean().describe('True when this node itself offers it.'),
    kind: z
      .string()
      .optional()
      .describe('What it is for: chat, embedding, rerank, image or audio, where that is known.'),
    context_length: z.number().int().optional().describe('Tokens that its server takes in one request.'),
    parameters: z.string().optional().describe('8.0B, as its server writes it.'),
    quantization: z.string().optional(),
    family: z.string().optional(),
    format: z.string().optional().describe('Only of this node’s own models.'),
    size: z.number().optional().describe('Bytes on disk.'),
    digest: z.string().optional().describe('Of another peer’s model its first 16 digits.'),
    capabilities: z
      .array(z.string())
      .optional()
      .describe('As Ollama names them: completion, embedding, tools, vision, thinking.'),
    servers: z.array(z.string()).describe('Peer ids of the first of them; empty for web pages.'),
  }),
})

const ModelList = z.object({
  object: z.literal('list'),
  data: z.array(Model).describe('This node’s own first, then by id; without `limit` as many as fit into 256 KiB.'),
  first_id: z.string().nullable(),
  last_id: z.string().nullable().describe('To go on from: `after` of the next page.'),
  has_more: z.boolean().describe('More models follow.'),
})

const Message = z.looseObject({ role: z.string(), content: z.unknown() })

const ModelRequest = z
  .looseObject({ model: z.string().describe('An id of GET /v1/models.'), stream: z.boolean().optional() })
  .describe('The fields the gateway reads; all others pass unchanged to the server that has the model.')

const ChatRequest = z
  .looseObject({
    model: z.string().describe('An id of GET /v1/models.'),
    messages: z.array(Message),
    stream: z.boolean().optional(),
    max_tokens: z.number().int().optional(),
    temperature: z.number().optional(),
  })
  .describe('OpenAI’s chat request; fields that are not listed pass unchanged.')

const Forwarded = z.unknown().describe('What the server that was asked answers, unchanged.')

const SeenPeer = PeerSchema.extend({
  standing: StandingSchema.describe('Whether it is known to be there: `unproven` rows may be made up.'),
})
const PeerTable = z.record(z.string(), SeenPeer).describe('Keyed by "/<peer id>".')
const Peers = z.object({ peers: z.array(z.object({ ID: z.string(), Addrs: z.array(z.string()) })) })
const PeersStatus = z.object({
  peers: z.array(
    z.object({
      id: z.string(),
      connectedness: z.enum(['Connected', 'NotConnected']),
      path: PathKindSchema.nullable().describe('Its best open connection; null while there is none.'),
      relays: z.array(z.string()).describe('Peer ids of the relays it is reached through; empty while it is direct.'),
      rtt_ms: z.number().nullable().describe('Round trip as measured here.'),
      standing: StandingSchema.describe('Whether it is known to be there.'),
    }),
  ),
})
const Bootstraps = z.object({ bootstraps: z.array(z.string().describe('/ip4/…/tcp/…/p2p/…')) })
const Stats = z.object({
  connected_peers: z.number().int(),
  total_peers_known: z.number().int(),
  connected_peer_details: Peers.shape.peers,
  all_peer_details: z.array(SeenPeer),
  message: z.string(),
})

const AddService = z.strictObject({
  name: z.string(),
  port: z.number().int(),
  host: z.string().optional(),
  health_path: z.string().optional(),
  identity_group: z.array(z.string()).max(256).optional(),
})
const RemoveService = z.strictObject({ name: z.string(), port: z.number().int().optional() })
const ServiceAdded = z.object({ id: z.string() })
const ServicesRemoved = z.object({ removed: z.array(z.string()) })

const Page = z.string()

const SCHEMAS = {
  ...{ ErrorAnswer, Health, Model, ModelList, ModelRequest, ChatRequest, Forwarded },
  ...{ PeerTable, Peers, PeersStatus, Bootstraps, Stats },
  ...{ AddService, RemoveService, ServiceAdded, ServicesRemoved, Page },
}

/** A schema of the document's components. */
export type SchemaName = keyof typeof SCHEMAS

/** All of them as JSON Schema, which is what OpenAPI 3.1 uses. */
export function componentSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(SCHEMAS).map(([name, schema]) => {
      const { $schema: _, ...json } = z.toJSONSchema(schema, {
        target: 'draft-2020-12',
        io: 'input',
        unrepresentable: 'any',
      })
      return [name, json]
    }),
  )
}

/** Where a schema stands in the document. */
export const schemaRef = (name: SchemaName): { $ref: string } => ({ $ref: `#/components/schemas/${name}` })

import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import { parseObject, readAll } from '../body/request-body.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import type { AnsweringRoute, Route } from './route.js'

const MAX_BYTES = 64 * 1024

const AddSchema = z.strictObject({
  name: z.string(),
  port: z.coerce.number().int(),
  host: z.string().optional(),
  health_path: z.string().optional(),
  identity_group: z.array(z.string()).max(256).optional(),
})

const RemoveSchema = z.strictObject({ name: z.string(), port: z.coerce.number().int().optional() })

/** Changes to this node's own services; the bearer of the control token only, never CORS. */
export function ownNodeRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const { registry } = needs
  const route = (methods: Route['methods'], summary: string, handle: AnsweringRoute['handle']): Route => ({
    methods,
    path: '/v1/dnt/_node',
    doors: ['local'],
    cors: false,
    summary,
    handle,
  })

  return [
    route(['POST'], 'Adds a service of this node.', async (ctx) => {
      authorize(ctx.req, options.controlToken)
      const given = await readJson(ctx.req, AddSchema)
      const id = registry.add({
        name: given.name,
        port: given.port,
        ...(given.host === undefined ? {} : { host: given.host }),
        ...(given.health_path === undefined ? {} : { healthPath: given.health_path }),
        ...(given.identity_group === undefined ? {} : { identityGroups: given.identity_group }),
      })
      ctx.status = 201
      ctx.body = { id }
    }),
    route(['DELETE'], 'Withdraws services of this node.', async (ctx) => {
      authorize(ctx.req, options.controlToken)
      const { name, port } = await readJson(ctx.req, RemoveSchema)
      const gone = registry
        .list()
        .filter((service) => service.name === name && (port === undefined || service.port === port))
      if (gone.length === 0) throw new AppError('service_not_found', `This node has no service "${name}".`)
      for (const { id } of gone) await registry.remove(id)
      ctx.body = { removed: gone.map(({ id }) => id) }
    }),
  ]
}

/** @throws AppError `unauthorized` */
function authorize(request: IncomingMessage, token: string): void {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return
  throw new AppError(
    'unauthorized',
    'This changes the node and needs its control token: Authorization: Bearer … with the token of control.json in the data folder.',
  )
}

/** @throws AppError `unsupported_media_type`, `invalid_json`, `invalid_request`, `body_too_large` */
async function readJson<T extends z.ZodType>(request: IncomingMessage, schema: T): Promise<z.output<T>> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new AppError('unsupported_media_type', 'Send the body as application/json.')
  }
  const parsed = schema.safeParse(parseObject(await readAll(request, MAX_BYTES)))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
  throw new AppError('invalid_request', `The body does not fit: ${faults.join('; ')}.`)
}

import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import { readJson } from '../listener/read-json.js'
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

/** Changes to this node's own services; the bearer of the control token only, never a web page. */
export function ownNodeRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const { registry } = needs
  const route = (methods: Route['methods'], summary: string, handle: AnsweringRoute['handle']): Route => ({
    methods,
    path: '/v1/dnt/_node',
    listeners: ['local'],
    pages: 'never',
    // It asks for the control token, which is more.
    keyless: true,
    summary,
    handle,
  })

  return [
    route(['POST'], 'Adds a service of this node.', async (ctx) => {
      authorize(options, ctx.req.headers)
      const given = parse(AddSchema, await readJson(ctx.req, MAX_BYTES))
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
      authorize(options, ctx.req.headers)
      const { name, port } = parse(RemoveSchema, await readJson(ctx.req, MAX_BYTES))
      const gone = registry
        .list()
        .filter((service) => service.name === name && (port === undefined || service.port === port))
      if (gone.length === 0) throw new AppError('service_not_found', `This node has no service "${name}".`)
      for (const { id } of gone) await registry.remove(id)
      ctx.body = { removed: gone.map(({ id }) => id) }
    }),
  ]
}

/** @throws AppError `unauthorized`, `rate_limited` */
function authorize(options: Pick<GatewayOptions, 'authorize'>, headers: IncomingHttpHeaders): void {
  try {
    options.authorize(headers)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unauthorized') throw error
    throw new AppError(
      'unauthorized',
      'This changes the node and needs its control token: Authorization: Bearer … with the token of control.json in the data folder.',
      { cause: error },
    )
  }
}

/** @throws AppError `invalid_request` */
function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
  throw new AppError('invalid_request', `The body does not fit: ${faults.join('; ')}.`)
}

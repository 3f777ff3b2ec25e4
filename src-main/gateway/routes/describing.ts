import { stringify } from 'yaml'
import { AppError } from '#shared/errors.js'
import type { GatewayOptions } from '../needs.js'
import { createDocsFiles } from '../openapi/docs-files.js'
import { docsPage, plainPage, START_SCRIPT } from '../openapi/docs-page.js'
import { openApiDocument } from '../openapi/document.js'
import type { AnsweringRoute, PageUse, Route } from './route.js'

/** Everything on the page comes from this gateway; the interface sets styles on elements it makes. */
const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The gateway's own description: an OpenAPI document and a page that shows it, both made from the table of routes. */
export function describingRoutes(options: GatewayOptions, routes: () => readonly Route[]): Route[] {
  const files = createDocsFiles(options.docsDir)
  let json: string | undefined
  let yaml: string | undefined
  const document = (): object => openApiDocument(routes(), { version: options.version })

  const route = (
    path: string,
    summary: string,
    handle: AnsweringRoute['handle'],
    pages: PageUse = 'navigate',
  ): Route => ({
    methods: ['GET', 'HEAD'],
    path,
    listeners: ['local'],
    pages,
    summary,
    handle(ctx, params) {
      ctx.set('X-Content-Type-Options', 'nosniff')
      return handle(ctx, params)
    },
  })

  return [
    route('/openapi.json', 'This API as an OpenAPI 3.1 document.', (ctx) => {
      json ??= JSON.stringify(document(), null, 2)
      ctx.type = 'application/json'
      ctx.body = json
    }),
    route('/openapi.yaml', 'The same document as YAML.', (ctx) => {
      yaml ??= stringify(document(), { aliasDuplicateObjects: false })
      ctx.type = 'application/yaml'
      ctx.body = yaml
    }),
    route('/docs', 'A page that shows this API; it needs nothing from the internet.', async (ctx) => {
      ctx.set('Content-Security-Policy', DOCS_CSP)
      ctx.type = 'html'
      ctx.body = (await files.isComplete()) ? docsPage(options.version) : plainPage(routes())
    }),
    route(
      '/docs/:file',
      'Scripts and styles of that page.',
      async (ctx, { file = '' }) => {
        const found = file === START_SCRIPT.name ? START_SCRIPT : await files.read(file)
        if (found === undefined) throw new AppError('not_found', 'The documentation page has no such file.')
        // The page asks with the version in the query: a new version has new addresses.
        ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
        ctx.type = found.contentType
        ctx.body = found.body
      },
      'never',
    ),
  ]
}

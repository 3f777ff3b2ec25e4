import type { Route } from '../routes/route.js'
import type { DocsFile } from './docs-files.js'

/** Starts the interface; a separate file, so that the page needs no inline script. */
export const START_SCRIPT: DocsFile & { name: string } = {
  name: 'start.js',
  contentType: 'text/javascript; charset=utf-8',
  body: `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
})
`,
}

const HEAD = `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Open Compute gateway: API</title>`

/** The page with Swagger UI; its files are asked for by version, so that they may be kept for long. */
export function docsPage(version: string): string {
  const v = encodeURIComponent(version)
  return `${HEAD}
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css?v=${v}"></head>
<body><div id="api"></div>
<noscript>This page needs scripts; the document itself is at <a href="/openapi.yaml">/openapi.yaml</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js?v=${v}"></script>
<script src="/docs/${START_SCRIPT.name}?v=${v}"></script></body></html>`
}

/** A list of the routes, where Swagger UI was not built. */
export function plainPage(routes: readonly Route[]): string {
  const rows = routes
    .filter(({ listeners }) => listeners.includes('local'))
    .map(
      ({ methods, path, summary }) =>
        `<dt><code>${methods.join(', ')} ${escape(path)}</code></dt><dd>${escape(summary)}</dd>`,
    )
  return `${HEAD}
<style>:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:50rem;margin:3rem auto;padding:0 1.5rem}
code{font:0.9rem ui-monospace,monospace}dd{margin:0 0 .8rem 1.5rem}</style></head>
<body><h1>Open Compute gateway: API</h1>
<p>The whole document: <a href="/openapi.yaml">/openapi.yaml</a>, <a href="/openapi.json">/openapi.json</a>.</p>
<dl>${rows.join('\n')}</dl></body></html>`
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

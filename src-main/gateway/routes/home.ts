import { NO_PEERS_YET } from '#shared/contract/node/node.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import type { Route } from './route.js'

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:44rem;margin:3rem auto;padding:0 1.5rem}h1{font-size:1.4rem}
code,pre{font:0.9rem/1.5 ui-monospace,monospace;background:color-mix(in srgb,currentColor 8%,transparent);border-radius:6px}
code{padding:.1rem .35rem}pre{padding:1rem;overflow:auto}.ok{color:#1a7f4b}@media(prefers-color-scheme:dark){.ok{color:#5fd39a}}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.2rem}dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}`

/** A small page for a person who opens the gateway in a browser. */
export function homeRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  return [
    {
      methods: ['GET', 'HEAD'],
      path: '/',
      listeners: ['local'],
      pages: 'navigate',
      summary: 'A small page: what this is, whether it is healthy, the base URL to paste.',
      handle(ctx) {
        const models = needs.models.list().map(({ id }) => id)
        const connected = new Set(needs.host.connections().map(({ peerId }) => peerId)).size
        const base = `http://${ctx.host}/v1`
        const dashboard = options.dashboardUrl()
        ctx.type = 'html'
        ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
        ctx.set('X-Content-Type-Options', 'nosniff')
        ctx.body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Open Compute gateway</title><style>${STYLE}</style>
<h1>Open Compute gateway</h1>
<p class="ok">● This node is running.</p>
<p>Any OpenAI client can use the models of the whole network here. Its base URL:</p>
<pre>${escape(base)}</pre>
<dl><dt>Models now</dt><dd>${
          models.length === 0
            ? 'none yet'
            : models
                .slice(0, 12)
                .map((id) => `<code>${escape(id)}</code>`)
                .join(' ')
        }${models.length > 12 ? ` and ${models.length - 12} more` : ''}</dd>
<dt>Peers connected</dt><dd>${connected}</dd>
<dt>Peer id</dt><dd><code>${escape(needs.host.peerId)}</code></dd>
<dt>Version</dt><dd>${escape(options.version)}</dd></dl>
${connected > 0 || options.settings.mode !== 'node' ? '' : `<p>${escape(NO_PEERS_YET)}</p>`}
<p>Try it:</p>
<pre>curl ${escape(base)}/chat/completions -H 'Content-Type: application/json' \\
  -d '{"model":"${escape(models[0] ?? 'MODEL')}","messages":[{"role":"user","content":"Hello"}]}'</pre>
${dashboard === undefined ? '' : `<p>The dashboard is at <code>${escape(dashboard)}</code>; <code>ocf status</code> prints the link with its token.</p>`}
</html>`
      },
    },
  ]
}

import type { BootstrapSourceView } from '#shared/contract/network/bootstrap.js'
import type { Bootstrapper } from '../../p2p/bootstrap/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'

/** What the bootstrap topic reads. */
export interface BootstrapNeeds {
  bootstrapper: Pick<Bootstrapper, 'status' | 'subscribe'>
}

/** `bootstrap.list`. */
export function createBootstrapHandlers(needs: BootstrapNeeds): Pick<Handlers, 'bootstrap.list'> {
  return { 'bootstrap.list': () => listSources(needs) }
}

/** The `bootstrap` feed. */
export function createBootstrapFeed(needs: BootstrapNeeds): FeedSource<BootstrapSourceView[]> {
  return {
    snapshot: () => listSources(needs),
    subscribe: (listener) => needs.bootstrapper.subscribe(listener),
  }
}

function listSources({ bootstrapper }: BootstrapNeeds): BootstrapSourceView[] {
  return bootstrapper
    .status()
    .map(({ reason, askedAtMs, ...rest }) => ({ ...rest, reason: reason ?? null, askedAtMs: askedAtMs ?? null }))
}

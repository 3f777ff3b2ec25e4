import type { BootstrapSourceView } from '#shared/contract/network/bootstrap.js'
import type { Joining } from '../../joining/index.js'
import type { Bootstrapper } from '../../p2p/bootstrap/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'
import type { Lifetime } from './status.js'

/** What the bootstrap topic reads. */
export interface BootstrapNeeds {
  bootstrapper: Pick<Bootstrapper, 'status' | 'subscribe'>
}

/** `bootstrap.list`. */
export function createBootstrapHandlers(needs: BootstrapNeeds): Pick<Handlers, 'bootstrap.list'> {
  return { 'bootstrap.list': () => listSources(needs) }
}

/** What joining, founding and leaving networks changes. */
export interface NetworkNeeds {
  joining: Joining
  lifetime: Pick<Lifetime, 'restart'>
}

/** `network.*`. */
export function createNetworkHandlers({
  joining,
  lifetime,
}: NetworkNeeds): Pick<Handlers, Extract<keyof Handlers, `network.${string}`>> {
  return {
    'network.get': () => ({ ...joining.view(), canRestart: lifetime.restart !== undefined }),
    'network.join': ({ text, switchNetwork }) => joining.join(text, { switchNetwork }),
    'network.create': ({ name }) => joining.create(name),
    'network.key': () => ({ text: joining.key() }),
    'network.leave': ({ what }) => joining.leave(what),
  }
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

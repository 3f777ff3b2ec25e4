import type { UpdateState } from '#shared/contract/node/update.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'

/** The desktop app's way to a newer version of itself. Its calls don't reject: a failure is a state. */
export interface UpdatesSource {
  readonly state: UpdateState
  check(): Promise<UpdateState>
  /** Does nothing unless a version is available. */
  download(): Promise<UpdateState>
  /** Asks for the restart that installs it; does nothing unless it is ready. */
  install(): void
  /** Calls `listener` after each change; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

const NO_APP: UpdateState = {
  kind: 'unsupported',
  sentence: 'This node runs without the desktop app. Update it the way it was installed, then start it again.',
}

type UpdateHandlers = Pick<Handlers, 'app.update' | 'app.checkForUpdates' | 'app.downloadUpdate' | 'app.installUpdate'>

/** `app.update` and what changes it: done only for a place with the capability, so never for a browser. */
export function createUpdateHandlers(needs: { updates?: UpdatesSource }): UpdateHandlers {
  const state = (): UpdateState => needs.updates?.state ?? NO_APP
  const offered = (capabilities: readonly string[]): UpdatesSource | undefined =>
    capabilities.includes('self-update') ? needs.updates : undefined
  return {
    'app.update': state,
    'app.checkForUpdates': (_input, { capabilities }) => offered(capabilities)?.check() ?? state(),
    'app.downloadUpdate': (_input, { capabilities }) => offered(capabilities)?.download() ?? state(),
    'app.installUpdate'(_input, { capabilities }) {
      offered(capabilities)?.install()
      return state()
    },
  }
}

/** The `update` feed. */
export function createUpdateFeed(needs: { updates?: UpdatesSource }): FeedSource<UpdateState> {
  return {
    snapshot: () => needs.updates?.state ?? NO_APP,
    subscribe: (listener) => needs.updates?.subscribe(listener) ?? (() => undefined),
  }
}

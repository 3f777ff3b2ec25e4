import type { z } from 'zod'
import { modelTestCalls } from './models/model-test.js'
import { modelsCalls, modelsFeeds } from './models/models.js'
import { bootstrapCalls, bootstrapFeeds } from './network/bootstrap.js'
import { identityCalls } from './network/identity.js'
import { joinCalls } from './network/join.js'
import { peersCalls, peersFeeds } from './network/peers.js'
import { tableCalls } from './network/table.js'
import { appCalls } from './node/app.js'
import { chatsCalls } from './node/chats.js'
import { doctorCalls, doctorFeeds } from './node/doctor.js'
import { keysCalls } from './node/keys.js'
import { logsCalls, logsFeeds } from './node/logs.js'
import { nodeCalls, nodeFeeds } from './node/node.js'
import { settingsCalls } from './node/settings.js'
import { trafficCalls, trafficFeeds } from './node/traffic.js'
import { updateCalls, updateFeeds } from './node/update.js'
import { invitesCalls, invitesFeeds } from './people/invites.js'
import { pairingCalls, pairingFeeds } from './people/pairing.js'
import { peopleCalls, peopleFeeds } from './people/people.js'
import { detectionCalls, detectionFeeds } from './sharing/detection.js'
import { diskModelsCalls } from './sharing/disk-models.js'
import { engineCalls, engineFeeds } from './sharing/engine.js'
import { ledgerCalls, ledgerFeeds } from './sharing/ledger.js'
import { limitsCalls, limitsFeeds } from './sharing/limits.js'
import { pauseCalls, pauseFeeds } from './sharing/pause.js'
import { servicesCalls, servicesFeeds } from './sharing/services.js'
import { sharesCalls, sharesFeeds } from './sharing/shares.js'

/** Every call a user interface may make. Dispatch, both transports, the command line and the test double derive from it. */
export const CALLS = {
  ...appCalls, // app.preferences, app.setPreference
  ...updateCalls, // app.update, app.checkForUpdates, app.downloadUpdate, app.installUpdate
  ...nodeCalls, // node.status, .capabilities, .restart, .stop
  ...peersCalls, // peers.list
  ...bootstrapCalls, // bootstrap.list
  ...joinCalls, // network.get, .join, .create, .key, .leave
  ...tableCalls, // table.rows
  ...modelsCalls, // models.list
  ...servicesCalls, // services.list
  ...settingsCalls, // settings.list, settings.set
  ...keysCalls, // keys.list, keys.add, keys.revoke, keys.own
  ...chatsCalls, // chats.load, chats.save, chats.forget
  ...logsCalls, // logs.recent
  ...trafficCalls, // traffic.recent, traffic.history
  ...detectionCalls, // detection.list, detection.scan, detection.type-in, detection.forget
  ...diskModelsCalls, // disk.get, disk.scan, disk.cancel
  ...engineCalls, // engine.get, .install, .cancelInstall, .remove, .serve, .unserve, .measure
  ...sharesCalls, // shares.list, shares.add, shares.setVisibility, shares.remove
  ...pauseCalls, // pause.get, pause.set, pause.resume
  ...limitsCalls, // limits.get, limits.set
  ...ledgerCalls, // ledger.summary, ledger.rows, ledger.export
  ...modelTestCalls, // test.run
  ...identityCalls, // identity.get, identity.backup, identity.inspect, identity.restore
  ...doctorCalls, // doctor.run, doctor.peer
  ...peopleCalls, // people.list, .trust, .untrust, .rename, .export, .ownName, .setOwnName
  ...invitesCalls, // people.invite, .invites, .revokeInvite, .readInvite, .join
  ...pairingCalls, // people.nearby, .pair, .pairings, .confirmPairing, .refusePairing
} as const

/** Every feed a user interface may follow. */
export const FEEDS = {
  ...nodeFeeds, // status
  ...peersFeeds, // peers
  ...bootstrapFeeds, // bootstrap
  ...modelsFeeds, // models
  ...servicesFeeds, // services
  ...logsFeeds, // logs
  ...trafficFeeds, // traffic
  ...detectionFeeds, // detection
  ...engineFeeds, // engine
  ...sharesFeeds, // shares
  ...pauseFeeds, // pause
  ...limitsFeeds, // limits
  ...ledgerFeeds, // ledger
  ...updateFeeds, // update
  ...doctorFeeds, // doctor
  ...peopleFeeds, // people
  ...invitesFeeds, // invites, joining
  ...pairingFeeds, // nearby, pairings
} as const

/** The name of a call, such as `node.status`. */
export type CallName = keyof typeof CALLS
/** What a caller passes: fields with defaults may be left out. */
export type CallInput<N extends CallName> = z.input<(typeof CALLS)[N]['input']>
/** What a handler gets: validated, defaults filled in. */
export type ParsedInput<N extends CallName> = z.output<(typeof CALLS)[N]['input']>
/** What a call returns, after validation. */
export type CallOutput<N extends CallName> = z.output<(typeof CALLS)[N]['output']>

/** The name of a feed, such as `peers`. */
export type FeedName = keyof typeof FEEDS
/** The whole value of a feed, as its first message carries it. */
export type FeedSnapshot<N extends FeedName> = z.output<(typeof FEEDS)[N]['snapshot']>
/** A change of a feed’s value, as later messages carry it. */
export type FeedDelta<N extends FeedName> = z.output<(typeof FEEDS)[N]['delta']>

/** Whether the contract has a call of that name. */
export function isCallName(name: string): name is CallName {
  return Object.hasOwn(CALLS, name)
}

/** Whether the contract has a feed of that name. */
export function isFeedName(name: string): name is FeedName {
  return Object.hasOwn(FEEDS, name)
}

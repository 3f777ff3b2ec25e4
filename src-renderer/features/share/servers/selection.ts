import type { CallInput } from '#shared/contract/index.js'
import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { VISIBILITIES, type ModelChoice, type Visibility } from '#shared/contract/sharing/visibility.js'

/** What is chosen on a server's card. */
export interface Selection {
  /** Who may use models that are added later; null while those are left out. */
  readonly later: Visibility | null
  /** One for each model that the server lists, in its order. */
  readonly models: readonly ModelChoice[]
}

/** What was changed on the card and is not saved yet; by the server's own ids. */
export interface Edits {
  readonly later?: Visibility | null
  readonly models: Readonly<Record<string, Partial<Pick<ModelChoice, 'ticked' | 'visibility'>>>>
}

/** Nothing was changed. */
export const NO_EDITS: Edits = { models: {} }

/**
 * What is in force or was chosen the last time. A server that was never shared has every model ticked for this computer
 * alone: that opens nothing to others.
 */
export function keptSelection(server: DetectedServer, share: ShareView | undefined): Selection {
  const kept =
    share === undefined
      ? server.remembered
      : { all: share.models === 'all', visibility: share.visibility, models: share.choices }
  const chosen = new Map((kept?.models ?? []).map((choice) => [choice.model, choice]))
  const later = kept?.all === true ? kept.visibility : null
  const models = server.models.map(
    ({ id: model }) =>
      chosen.get(model) ?? { model, ticked: kept === null || later !== null, visibility: later ?? 'me' },
  )
  return { later, models }
}

/** The same with the changes of the card. */
export function withEdits({ later, models }: Selection, edits: Edits): Selection {
  return {
    later: edits.later === undefined ? later : edits.later,
    models: models.map((choice) => ({ ...choice, ...edits.models[choice.model] })),
  }
}

/** Adds the same change of each of these models to the edits. */
export function editModels(edits: Edits, models: readonly string[], change: Edits['models'][string]): Edits {
  const changed = models.map((model) => [model, { ...edits.models[model], ...change }] as const)
  return { ...edits, models: { ...edits.models, ...Object.fromEntries(changed) } }
}

/** The server's own ids of the ticked models. */
export const tickedIds = ({ models }: Selection): string[] =>
  models.filter(({ ticked }) => ticked).map(({ model }) => model)

/** Whether saving would change something. */
export const selectionsDiffer = (one: Selection, other: Selection): boolean =>
  JSON.stringify(one) !== JSON.stringify(other)

/** How many of these there are for each visibility. */
export function countByVisibility(list: readonly { visibility: Visibility }[]): Record<Visibility, number> {
  const of = (wanted: Visibility): number => list.filter(({ visibility }) => visibility === wanted).length
  return { me: of('me'), trusted: of('trusted'), everyone: of('everyone') }
}

/** What all ticked models have in common; undefined where they differ or there are none. */
export function commonVisibility({ models }: Selection): Visibility | undefined {
  const found = new Set(models.filter(({ ticked }) => ticked).map(({ visibility }) => visibility))
  return found.size === 1 ? [...found][0] : undefined
}

/** What the node is asked for: one visibility for most models, and those that differ from it. */
export function requestOf(
  selection: Selection,
  kept: Selection,
): Pick<CallInput<'shares.add'>, 'models' | 'except' | 'visibility' | 'visibilities'> {
  const { later, models } = selection
  const ticked = models.filter((choice) => choice.ticked)
  const counts = countByVisibility(ticked)
  const most = VISIBILITIES.reduce((best, one) => (counts[one] > counts[best] ? one : best))
  const visibility = later ?? most
  const before = new Map(kept.models.map((choice) => [choice.model, choice.visibility]))
  return {
    models: later === null ? ticked.map(({ model }) => model) : 'all',
    except: later === null ? [] : models.filter((choice) => !choice.ticked).map(({ model }) => model),
    visibility,
    visibilities: models
      .filter((choice) => choice.visibility !== (choice.ticked ? visibility : before.get(choice.model)))
      .map((choice) => ({ model: choice.model, visibility: choice.visibility })),
  }
}

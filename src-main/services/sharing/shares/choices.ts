import type { ModelChoice, ServerChoices, Visibility } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import { isPublishable, ollamaKeyOf } from '#shared/model-names.js'
import { didYouMean, nearNames } from '../../../config/index.js'
import type { DetectionResult } from '../../detection/index.js'
import type { LocalService, RegistrationInput } from '../../index.js'
import { OLLAMA_API, publicIdOf } from '../../registry/published-models.js'
import { LLM } from '../../registry/registration.js'
import { MAX_CHOICES, type KeptShare } from './share-file.js'
import type { ShareRequest } from './index.js'

/** What is kept of a person's choice for one server. */
export type KeptChoices = Pick<KeptShare, 'models' | 'visibility' | 'choices' | 'aliases'>

/**
 * What a request chooses, for each model that the server has and each of which something is remembered. Who may use a
 * model that it says nothing of stays as it was, and is this machine alone for a new one.
 * @throws AppError `invalid_service` for a model the server does not have, and a further name that can't be announced
 */
export function choose(
  request: ShareRequest,
  detected: DetectionResult,
  before: KeptChoices | undefined,
): Pick<KeptShare, 'models' | 'visibility' | 'choices' | 'aliases'> {
  const listed = detected.models.map(({ id }) => id)
  const remembered = new Map(before === undefined ? [] : choicesOf(before).map((choice) => [choice.model, choice]))
  const ids = new Set([...listed, ...remembered.keys()])
  const { address, kind } = detected
  const models = request.models === 'all' ? 'all' : serverIds(request.models, { ids: listed, address, kind })
  const except = new Set(serverIds(request.except ?? [], { ids: [...ids], address, kind }))
  const said = new Map(
    (request.visibilities ?? []).flatMap(({ model, visibility }) =>
      serverIds([model], { ids: [...ids], address, kind }).map((id) => [id, visibility] as const),
    ),
  )
  const clouds = new Set(detected.models.filter(({ cloud }) => cloud === true).map(({ id }) => id))
  // Whoever shares all means what this machine runs; what runs elsewhere, on the owner's account, is shared by name.
  const isAmongAll = (model: string): boolean =>
    !except.has(model) && (!clouds.has(model) || said.has(model) || remembered.get(model)?.ticked === true)
  const choices = [...ids].slice(0, MAX_CHOICES).map((model): ModelChoice => {
    const ticked = models === 'all' ? isAmongAll(model) : models.includes(model)
    const kept = remembered.get(model)?.visibility ?? 'me'
    return { model, ticked, visibility: said.get(model) ?? (ticked ? request.visibility : undefined) ?? kept }
  })
  // Of ticked models each has its own: nothing else of the server is for others.
  const visibility = models === 'all' ? (request.visibility ?? laterIn(before)) : 'me'
  return { models, visibility, choices, aliases: checkedAliases(request.aliases, models, detected) }
}

const laterIn = (before: KeptChoices | undefined): Visibility => (before?.models === 'all' ? before.visibility : 'me')

/** What was chosen for each model by the server's own id; one that was only ticked has the visibility of the whole. */
export function choicesOf({ models, visibility, choices }: KeptChoices): ModelChoice[] {
  const ticked = models === 'all' ? [] : models
  const chosen = new Set(choices.map(({ model }) => model))
  return [...choices, ...ticked.filter((id) => !chosen.has(id)).map((model) => ({ model, ticked: true, visibility }))]
}

/** The same with this visibility of one model by the server's own id, or of those that appear later. */
export function withVisibility<T extends KeptChoices>(share: T, model: string | undefined, visibility: Visibility): T {
  const choices = choicesOf(share)
  const later = share.models === 'all' ? share.visibility : 'me'
  if (model === undefined) return { ...share, choices, visibility: share.models === 'all' ? visibility : later }
  const known = choices.find((choice) => choice.model === model)
  const changed = { model, ticked: known?.ticked ?? true, visibility }
  const others = choices.filter((choice) => choice !== known)
  return { ...share, visibility: later, choices: [...others, changed] }
}

/** The server's own id of a model of a share, named by it, by its published name or by a further one. */
export function modelNamed(share: KeptChoices, service: LocalService | undefined, name: string): string | undefined {
  const chosen = choicesOf(share).map(({ model }) => model)
  const meant = share.aliases.find((alias) => alias.name === name)?.model ?? name
  const kept = chosen.find((id) => id === meant) ?? chosen.find((id) => publicIdOf(id) === meant)
  if (kept !== undefined) return kept
  const isListed = service?.models.some(({ id }) => id === meant) === true
  return isListed ? (service.serverModelIds.get(meant) ?? meant) : undefined
}

/** What was chosen as pages show it, with the models the server has beyond that: all that appeared later. */
export function viewChoices(share: KeptChoices, service?: LocalService): ServerChoices {
  const models = choicesOf(share)
  const chosen = new Set(models.map(({ model }) => model))
  const listed = share.models === 'all' ? (service?.models ?? []) : []
  const later = listed
    .map(({ id }) => service?.serverModelIds.get(id) ?? id)
    .filter((id, index, ids) => !chosen.has(id) && ids.indexOf(id) === index)
    .map((model) => ({ model, ticked: true, visibility: share.visibility }))
  const { visibility, aliases } = share
  return { all: share.models === 'all', visibility, models: [...models, ...later], aliases }
}

/** A share as the registry takes it. */
export function registrationOf(share: KeptShare, apiKey: string | undefined): RegistrationInput {
  const { host, port, basePath, healthPath, models, visibility, choices } = share
  return {
    ...{ name: LLM, host, port, basePath, healthPath, models, visibility, apiKey },
    identityGroups: share.kind === 'ollama' ? [OLLAMA_API] : [],
    aliases: new Map(share.aliases.map(({ name, model }) => [name, model])),
    except: models === 'all' ? choices.filter(({ ticked }) => !ticked).map(({ model }) => model) : [],
    // What is un-ticked is for nobody, and what still runs of it for no peer.
    visibilities: new Map(choices.map(({ model, ticked, visibility: own }) => [model, ticked ? own : 'me'])),
  }
}

/** The server's own ids of these models. @throws AppError `invalid_service` for one it does not have */
function serverIds(
  named: readonly string[],
  { ids, address, kind }: { ids: readonly string[] } & Pick<DetectionResult, 'address' | 'kind'>,
): string[] {
  const found = named.map(
    (wanted) =>
      ids.find((id) => id === wanted || publicIdOf(id) === wanted) ??
      (kind === 'ollama' ? ids.find((id) => ollamaKeyOf(id) === ollamaKeyOf(wanted)) : undefined),
  )
  const missing = named.filter((_, index) => found[index] === undefined)
  if (missing.length > 0) {
    const list = missing.slice(0, 5).map((id) => JSON.stringify(id))
    const [first = '', ...others] = missing
    const near = others.length === 0 ? didYouMean(nearIds(first, ids.map(publicIdOf).slice(0, 500))) : ''
    throw new AppError('invalid_service', `The server at ${address} has no model ${list.join(', ')}.${near}`, {
      param: 'models',
    })
  }
  return [...new Set(found.filter((id) => id !== undefined))]
}

/** Ids that may be meant: the one that a tag is missing from, else those that look like it. */
function nearIds(wanted: string, ids: readonly string[]): string[] {
  const same = ids.filter((id) => ollamaKeyOf(id) === ollamaKeyOf(wanted))
  return same.length > 0 ? same : nearNames(wanted, ids)
}

/** Further names with the server's own ids. @throws AppError `invalid_service` for one that can't be announced */
function checkedAliases(
  aliases: ShareRequest['aliases'],
  models: 'all' | string[],
  detected: DetectionResult,
): ShareRequest['aliases'][number][] {
  const shared = models === 'all' ? detected.models.map(({ id }) => id) : models
  const taken = new Set(shared.map(publicIdOf))
  return aliases.map(({ name, model }) => {
    const refuse = (reason: string): AppError =>
      new AppError('invalid_service', `The name ${JSON.stringify(name)} ${reason}`, { param: 'aliases' })
    const isMeant = (one: string): boolean => one === model || publicIdOf(one) === model
    const sameInOllama = (one: string): boolean => ollamaKeyOf(one) === ollamaKeyOf(model)
    const id = shared.find(isMeant) ?? (detected.kind === 'ollama' ? shared.find(sameInOllama) : undefined)
    if (id === undefined) throw refuse(`stands for ${JSON.stringify(model)}, which is not shared.`)
    if (!isPublishable(name)) {
      throw refuse(
        'can’t be announced: it must not be *, ., .. or ~, nor begin or end with a blank or hold hidden characters.',
      )
    }
    if (taken.has(name)) throw refuse('is taken by another model of this server. Choose another one.')
    taken.add(name)
    return { name, model: id }
  })
}

import type { ModelProvider, ModelView } from '#shared/contract/models/models.js'
import { AppError } from '#shared/errors.js'
import { numberText } from '#shared/figures.js'
import { didYouMean, nearNames, quote } from '../../../config/index.js'
import type { TOOLS } from './tools.js'

type Wanted = Pick<(typeof TOOLS)['claude'], 'title' | 'leastContext' | 'wantsTools'>

/** The built-in model is a toy: it is never chosen for work. */
const DEMO_MODEL = 'ocf-demo'

/** A model for a tool, and what the person should know about it. */
interface ChosenModel {
  model: ModelView
  warning: string | undefined
}

/**
 * The model a tool works with: the one that was named, or the best of those whose context suffices. Of this computer
 * first, then of trusted peers, then of strangers; among those the larger one.
 * @throws AppError `model_not_found` where there is none
 */
export function chooseModel(models: readonly ModelView[], tool: Wanted, named: string | undefined): ChosenModel {
  if (named !== undefined) return namedModel(models, tool, named)
  const usable = models.filter((model) => model.id !== DEMO_MODEL && isForWork(model) && isReachable(model))
  const [best] = usable.filter((model) => problemOf(model, tool) === undefined).toSorted(byWorth)
  if (best !== undefined) return { model: best, warning: warningOf(best, tool) }
  const [largest] = usable.toSorted((a, b) => (b.contextLength ?? 0) - (a.contextLength ?? 0))
  if (largest === undefined) {
    throw new AppError(
      'model_not_found',
      `There is no model that ${tool.title} could use. \`ocf models\` lists what there is.`,
    )
  }
  throw new AppError(
    'model_not_found',
    `No model suffices for ${tool.title}: ${problemOf(largest, tool) ?? ''} Use it anyway with \`--model ${largest.id}\`.`,
  )
}

function namedModel(models: readonly ModelView[], tool: Wanted, named: string): ChosenModel {
  const model = models.find(({ id }) => id === named)
  if (model !== undefined) return { model, warning: problemOf(model, tool) ?? warningOf(model, tool) }
  const near = nearNames(
    named,
    models.map(({ id }) => id),
  )
  throw new AppError(
    'model_not_found',
    `There is no model ${quote(named)}.${didYouMean(near)} \`ocf models\` lists them.`,
  )
}

/** Why a model does not suffice, as far as its server tells. */
function problemOf({ id, contextLength, capabilities }: ModelView, tool: Wanted): string | undefined {
  if (contextLength !== undefined && contextLength < tool.leastContext) {
    return `${id} takes ${numberText(contextLength)} tokens, and ${tool.title} needs ${numberText(tool.leastContext)}.`
  }
  if (tool.wantsTools && capabilities !== undefined && !capabilities.includes('tools')) {
    return `${id} can’t use tools, and ${tool.title} works through them.`
  }
  return undefined
}

function warningOf({ id, contextLength }: ModelView, tool: Wanted): string | undefined {
  if (contextLength !== undefined) return undefined
  return `The server of ${id} does not say how many tokens it takes; ${tool.title} needs ${numberText(tool.leastContext)}.`
}

const isForWork = ({ kind }: ModelView): boolean => kind === undefined || kind === 'chat'

const answers = ({ self, connected, load }: ModelProvider): boolean => self || (connected && load?.paused !== true)

/** Whether some provider of the model can be asked now. */
function isReachable({ providers }: Pick<ModelView, 'providers'>): boolean {
  return providers.some(answers)
}

/** Who reads what the tool sends: 2 this computer, 1 people the owner trusts, 0 strangers. */
const closeness = ({ providers }: ModelView): number =>
  Math.max(...providers.filter(answers).map(({ self, trusted }) => (self ? 2 : trusted ? 1 : 0)))

/** `8.0B` and `360M` in millions. */
function size({ parameters }: ModelView): number {
  const [, digits, unit] = /^([\d.]+)\s*([MBT])/i.exec(parameters ?? '') ?? []
  const scale: Readonly<Record<string, number>> = { M: 1, B: 1e3, T: 1e6 }
  return digits === undefined ? 0 : Number(digits) * (scale[unit?.toUpperCase() ?? ''] ?? 0)
}

const knowsTools = ({ capabilities }: ModelView): number => Number(capabilities?.includes('tools') === true)
const knowsContext = ({ contextLength }: ModelView): number => Number(contextLength !== undefined)

function byWorth(a: ModelView, b: ModelView): number {
  for (const worth of [closeness, knowsContext, knowsTools, size]) {
    const difference = worth(b) - worth(a)
    if (difference !== 0) return difference
  }
  return (b.contextLength ?? 0) - (a.contextLength ?? 0) || a.id.localeCompare(b.id)
}

import { AppError } from '#shared/errors.js'
import type { ModelFacts } from '#shared/model-facts.js'
import type { RequestNeeds } from './request-needs.js'
import type { TokenRange } from './token-sizes.js'

/** Whether a provider takes a request: `maybe` where its prompt is about as long as the context, or the answer may not fit. */
export type Fit = 'yes' | 'maybe' | 'no'

/** What of a request decides who can take it. */
export interface Asked {
  readonly needs: RequestNeeds
  /** Tokens of its prompt; undefined where that is anybody's guess. */
  readonly tokens: TokenRange | undefined
}

type Kind = NonNullable<ModelFacts['kind']>

/** Kinds of models that are known not to do what is asked for. A chat model may embed, speak or draw as well. */
const UNABLE: Readonly<Record<Kind, readonly Kind[]>> = {
  chat: ['embedding', 'rerank', 'image', 'audio'],
  embedding: ['rerank', 'image', 'audio'],
  rerank: ['chat', 'embedding', 'image', 'audio'],
  image: ['embedding', 'rerank', 'audio'],
  audio: ['embedding', 'rerank', 'image'],
}

/** Why a model cannot take it; undefined where it can, as far as is known. */
type Obstacle = 'kind' | 'tools' | 'images' | 'context'

function obstacleOf({ needs, tokens }: Asked, facts: ModelFacts): Obstacle | undefined {
  const { kind, capabilities, contextTokens } = facts
  if (kind !== undefined && needs.kind !== undefined && UNABLE[needs.kind].includes(kind)) return 'kind'
  if (needs.hasTools && capabilities?.includes('tools') === false) return 'tools'
  if (needs.hasImages && capabilities?.includes('vision') === false) return 'images'
  return contextTokens !== undefined && tokens !== undefined && tokens.least > contextTokens ? 'context' : undefined
}

/** Whether a model can take a request, judging by its published facts. A missing fact rules nothing out. */
export function fitOf(asked: Asked, facts: ModelFacts | undefined): Fit {
  if (facts === undefined) return 'yes'
  if (obstacleOf(asked, facts) !== undefined) return 'no'
  const { contextTokens } = facts
  if (contextTokens === undefined || asked.tokens === undefined) return 'yes'
  return asked.tokens.most + asked.needs.answerTokens > contextTokens ? 'maybe' : 'yes'
}

const TASKS: Readonly<Record<Kind, string>> = {
  chat: 'answers chats: it is a model for something else',
  embedding: 'makes embeddings',
  rerank: 'ranks documents',
  image: 'makes images',
  audio: 'takes or makes audio',
}

const count = (tokens: number): string => Math.round(tokens).toLocaleString('en-US')

/** The error for a request that no provider can take, with what to do; `offered` has each provider's facts of the model. */
export function nobodyTakes(what: string, asked: Asked, offered: readonly ModelFacts[]): AppError {
  const obstacles = new Set(offered.map((facts) => obstacleOf(asked, facts)))
  if (obstacles.has('context')) {
    const longest = Math.max(...offered.map(({ contextTokens = 0 }) => contextTokens))
    return new AppError(
      'context_length_exceeded',
      `No provider of ${what} takes ${count(asked.tokens?.likely ?? 0)} tokens; the longest context offered is ${count(longest)}. Shorten the prompt, or choose a model with a longer context.`,
      { param: 'messages' },
    )
  }
  if (obstacles.has('images')) {
    return unsupported(`No provider of ${what} takes images. Leave them out, or choose a model that sees.`, 'messages')
  }
  if (obstacles.has('tools')) {
    return unsupported(`No provider of ${what} takes tools. Leave them out, or choose a model that uses them.`, 'tools')
  }
  const task = TASKS[asked.needs.kind ?? 'chat']
  return unsupported(`No provider of ${what} ${task}. GET /v1/models says what each model is for.`, 'model')
}

const unsupported = (sentence: string, param: string): AppError =>
  new AppError('unsupported_request', sentence, { param })

import type { AnswerForm } from './answer-form.js'
import { anthropicMessages } from './anthropic-messages.js'
import { ollamaChat, ollamaGenerate } from './ollama-answers.js'
import { openAiChat, openAiCompletions } from './openai-answers.js'

const FORM_OF_PATH: readonly (readonly [RegExp, AnswerForm])[] = [
  [/^\/v1\/chat\/completions$/, openAiChat],
  [/^\/v1\/completions$/, openAiCompletions],
  [/^\/v1\/messages$/, anthropicMessages],
  [/^\/api\/chat$/, ollamaChat],
  [/^\/api\/generate$/, ollamaGenerate],
]

/** The form of the answers at a path of a model server, with or without a query. */
export function formOf(path: string): AnswerForm | undefined {
  const [plain = ''] = path.split('?', 1)
  return FORM_OF_PATH.find(([pattern]) => pattern.test(plain))?.[1]
}

import type { GenerationRequest, GenerationSummary } from './generation.js'

/** One event of a server-sent stream; `data` is sent as JSON, `[DONE]` as it is. */
export interface SseEvent {
  event?: string
  data: unknown
}

/** How one interface (chat, completions, …) shows an answer, whole or as a stream. */
export interface AnswerFormat {
  /** Before the first piece. */
  begin(): SseEvent[]
  piece(text: string): SseEvent[]
  /** After the last piece; `text` is the whole answer. */
  end(text: string, summary: GenerationSummary): SseEvent[]
  /** The answer in one JSON document. */
  whole(text: string, summary: GenerationSummary): unknown
}

/** A request that was understood: what to write, and how to show it. */
export interface Ask {
  model: string
  stream: boolean
  generation: GenerationRequest
  format: AnswerFormat
}

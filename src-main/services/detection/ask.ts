import type { z } from 'zod'
import type { HttpProbe, ProbeAnswer } from '../registry/http-probe.js'
import { parseJson } from './json.js'

/** Small questions to one server during one look; the same question is asked once. */
export interface Ask {
  get(path: string, maxBytes?: number): Promise<ProbeAnswer>
  /** The answer where it is 200 and JSON of that shape. */
  json<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | undefined>
  /** The answer where it is 200 and no web page. */
  text(path: string): Promise<string | undefined>
}

/** Whom to ask, and how. */
export interface AskTarget {
  host: string
  port: number
  apiKey: string | undefined
  /** Comes back from a gateway that forwards to this node. */
  headers: Readonly<Record<string, string>>
  timeoutMs: number
  signal: AbortSignal
}

/** The largest answer to anything but the list of models. */
const MAX_ANSWER_BYTES = 1024 * 1024

/** Questions to `target`. */
export function createAsk(needs: { probe: HttpProbe }, target: AskTarget): Ask {
  const answers = new Map<string, Promise<ProbeAnswer>>()

  function get(path: string, maxBytes = MAX_ANSWER_BYTES): Promise<ProbeAnswer> {
    const known = answers.get(path)
    if (known !== undefined) return known
    const answer = needs.probe.get({ ...target, path, maxBytes })
    answers.set(path, answer)
    return answer
  }

  return {
    get,
    async json(path, schema) {
      const answer = await get(path)
      if (answer.kind !== 'answer' || answer.status !== 200) return undefined
      return schema.safeParse(parseJson(answer.body)).data
    },
    async text(path) {
      const answer = await get(path)
      return answer.kind === 'answer' && answer.status === 200 && !isPage(answer.body) ? answer.body : undefined
    },
  }
}

/** Whether a body is a web page, whatever its header says. */
export function isPage(body: string): boolean {
  return /^\s*<(?:!doctype|html|head|body|\?xml|!--)/i.test(body)
}

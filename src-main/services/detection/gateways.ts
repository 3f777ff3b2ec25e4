import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { parseJson } from './json.js'

/** Headers that only gateways answer with: ours, LiteLLM's, Olla's. */
const GATEWAY_HEADER = /^(?:x-computing-node|x-ocf-|x-litellm-|x-olla-)/

/** `loop_detected`: the hop header of this very node came back to it. */
const LoopSchema = z.object({ error: z.object({ code: z.literal('loop_detected') }) })

/** Whether an answer comes from something that forwards to others itself: sharing it would send requests in circles. */
export function isGatewayAnswer(status: number, headers: IncomingHttpHeaders, body: string): boolean {
  if (Object.keys(headers).some((name) => GATEWAY_HEADER.test(name))) return true
  return status === 508 || LoopSchema.safeParse(parseJson(body)).success
}

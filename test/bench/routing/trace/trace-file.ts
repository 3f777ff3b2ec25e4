import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createRandom } from '../random.ts'
import type { SimRequest } from '../workload.ts'

/** Prompt tokens that one id of a trace stands for. */
export const BLOCK_TOKENS = 512

/** Where traces in this format are published. */
export const PUBLISHED_AT = 'https://github.com/kvcache-ai/Mooncake/tree/main/FAST25-release/traces'

/** One line of a trace: a request, and one id for each block of its prompt; equal beginnings are equal ids. */
interface TraceLine {
  timestamp: number
  input_length: number
  output_length: number
  hash_ids: number[]
}

/** Blocks that more different ones follow are a prompt that many conversations share, and tell none of them. */
const SHARED_FROM = 4

/**
 * The requests of a trace's first minutes, plain or gzipped. Conversations are told by their prompts, and stay at the
 * gateway that chance gave them.
 */
export function readTrace(file: string, options: { minutes: number; gateways: number; seed: number }): SimRequest[] {
  const bytes = readFileSync(file)
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as TraceLine)
    .sort((a, b) => a.timestamp - b.timestamp)
  const first = lines[0]?.timestamp ?? 0
  const taken = lines.filter(({ timestamp }) => timestamp - first < options.minutes * 60_000)
  const conversations = conversationsOf(taken)
  const random = createRandom(options.seed * 6_151 + 3)
  const gatewayOf = new Map<number, number>()
  return taken.map((line, index) => {
    const conversation = conversations[index] ?? index
    const gateway = gatewayOf.get(conversation) ?? Math.floor(random() * options.gateways)
    gatewayOf.set(conversation, gateway)
    return {
      atMs: line.timestamp - first,
      gateway,
      conversation: `conversation-${conversation}`,
      contextTokens: line.input_length,
      knownTokens: 0,
      answerTokens: line.output_length,
      blocks: line.hash_ids,
    }
  })
}

/** Of each request the number of its conversation: it goes on where it begins with all whole blocks of an earlier one. */
function conversationsOf(lines: readonly TraceLine[]): number[] {
  const shared = sharedBlocks(lines)
  const endsWith = new Map<number, number>()
  return lines.map(({ hash_ids: ids }, index) => {
    const last = ids.findLast((id) => endsWith.has(id))
    const conversation = (last === undefined ? undefined : endsWith.get(last)) ?? index
    // The last block is not whole: the next turn begins with those before it.
    const whole = ids.at(-2)
    if (whole !== undefined && !shared.has(whole)) endsWith.set(whole, conversation)
    return conversation
  })
}

function sharedBlocks(lines: readonly TraceLine[]): Set<number> {
  const followers = new Map<number, Set<number>>()
  for (const { hash_ids: ids } of lines) {
    for (let at = 0; at + 1 < ids.length; at += 1) {
      const id = ids[at] as number
      const known = followers.get(id) ?? new Set()
      followers.set(id, known.add(ids[at + 1] as number))
    }
  }
  return new Set([...followers].filter(([, next]) => next.size >= SHARED_FROM).map(([id]) => id))
}

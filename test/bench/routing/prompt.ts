import { BLOCK_TOKENS } from './trace/trace-file.ts'
import type { SimRequest } from './workload.ts'

/** Bytes of a token of English text, about. */
const TOKEN_BYTES = 4

/** A request as an app would send it: its prompt is as long as its tokens, and equal where its blocks are equal. */
export function bodyOf(request: SimRequest): Buffer {
  const bytes = Math.max(1, Math.round(request.contextTokens)) * TOKEN_BYTES
  const head = Buffer.from('{"model":"any","messages":[{"role":"user","content":"')
  const prompt = Buffer.concat([head, Buffer.alloc(bytes), Buffer.from('"}]}')])
  const content = prompt.subarray(head.length, head.length + bytes)
  if (request.blocks === undefined) content.fill(`${request.conversation} `)
  else fillBlocks(content, request.blocks)
  return prompt
}

function fillBlocks(content: Buffer, blocks: readonly number[]): void {
  const size = BLOCK_TOKENS * TOKEN_BYTES
  for (let at = 0; at * size < content.length; at += 1) {
    content.subarray(at * size, (at + 1) * size).fill(`${blocks[at] ?? 'rest'} `)
  }
}

import type { Sequence, Token } from './library.js'

/** Work on a prompt between two looks at whether anyone still waits for it: 50 ms, so that a slot is free well within 200 ms. */
const PIECE_MS = 50
const FIRST_PIECE = 8
const LARGEST_PIECE = 512

/** How many tokens to read next, after `tokens` took `tookMs`. */
export function nextPiece(tokens: number, tookMs: number): number {
  const wanted = tookMs <= 0 ? LARGEST_PIECE : Math.floor((tokens * PIECE_MS) / tookMs)
  return Math.max(1, Math.min(wanted, tokens * 4, LARGEST_PIECE))
}

/**
 * Reads a prompt into a slot, all but its last token, piece by piece, so that a client that leaves is noticed within a
 * piece. What the slot has read before is kept. Resolves with the tokens that were read anew.
 */
export async function readPrompt(sequence: Sequence, tokens: Token[], signal: AbortSignal): Promise<number> {
  const prompt = tokens.slice(0, -1)
  await sequence.adaptStateToTokens(prompt, false)
  // Models with a sliding window may have to go back further than where the texts differ.
  const start = Math.min(sequence.nextTokenIndex, prompt.length)
  let piece = FIRST_PIECE
  for (let at = start; at < prompt.length;) {
    signal.throwIfAborted()
    const part = prompt.slice(at, at + piece)
    const startedMs = performance.now()
    await sequence.evaluateWithoutGeneratingNewTokens(part)
    at += part.length
    piece = nextPiece(part.length, performance.now() - startedMs)
  }
  if (sequence.needsCheckpoints) await sequence.takeCheckpoint()
  signal.throwIfAborted()
  return prompt.length - start
}

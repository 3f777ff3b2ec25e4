import type { EngineSettings } from '#shared/contract/sharing/engine.js'

/** What a plan is made from. Sizes in bytes. */
export interface PlanFacts {
  /** All files of the model. */
  sizeBytes: number
  /** Tokens it was trained on, where known. */
  trainedTokens: number | null
  /** Bytes of one token in the KV cache at 16 bits, where known. */
  cacheBytesPerToken: number | undefined
}

/** How a model is going to be run, and what memory that takes. */
export type Plan = { contextTokens: number; slots: number; needBytes: number } | { problem: string }

const MIB = 1024 * 1024
/** The process itself, and what llama.cpp computes in. */
const OVERHEAD_BYTES = 400 * MIB
/** Where the header does not tell: what a model of 8 billion weights takes (32 layers, 8 heads of 128, 16 bits). */
const USUAL_CACHE_BYTES = 128 * 1024
const DEFAULT_SLOTS = 4
/** More is rarely asked for, and memory that others could use. */
const USUAL_CONTEXT = 16_384
const FEWEST_CONTEXT = 2048

/**
 * How a model fits into `budgetBytes`: what the person set for it counts; the rest is as much context as there is room
 * for, then fewer slots.
 */
export function planOf(facts: PlanFacts, settings: EngineSettings, budgetBytes: number): Plan {
  const perToken = facts.cacheBytesPerToken ?? USUAL_CACHE_BYTES
  const base = facts.sizeBytes + OVERHEAD_BYTES
  const trained = facts.trainedTokens ?? USUAL_CONTEXT
  const needOf = (contextTokens: number, slots: number): number => base + contextTokens * slots * perToken
  const fits = (contextTokens: number, slots: number): boolean => needOf(contextTokens, slots) <= budgetBytes
  const fewest = Math.min(trained, FEWEST_CONTEXT)
  for (let slots = settings.slots ?? DEFAULT_SLOTS; slots >= 1; slots -= 1) {
    const room = Math.floor((budgetBytes - base) / (slots * perToken))
    const context = settings.contextTokens ?? Math.min(trained, USUAL_CONTEXT, Math.floor(room / 256) * 256)
    if (context >= (settings.contextTokens ?? fewest) && fits(context, slots)) {
      return { contextTokens: context, slots, needBytes: needOf(context, slots) }
    }
    if (settings.slots !== null) break
  }
  const need = needOf(settings.contextTokens ?? fewest, settings.slots ?? 1)
  return {
    problem: `It needs ${gigabytes(need)} of memory with these settings, and models may take ${gigabytes(budgetBytes)}.`,
  }
}

/** With a decimal, as the two may be close. */
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

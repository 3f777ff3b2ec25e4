import type { Limits } from '#shared/contract/limits.js'
import { strings } from '../../../strings.js'

const { share: words } = strings
const MIB = 1024 * 1024

/** The limits as they stand in the form. */
export interface LimitsText {
  concurrent: string
  queue: string
  queueSeconds: string
  requestsPerMinute: string
  maxTokens: string
  bodyMiB: string
  allowedPeers: string
  blockedPeers: string
}

/** Least and most of each number, as the node has it. */
const RANGES = {
  concurrent: [0, 1000],
  queue: [0, 1000],
  queueSeconds: [0, 300],
  requestsPerMinute: [0, 100_000],
  maxTokens: [0, 10_000_000],
  bodyMiB: [0, 1024],
} as const satisfies Partial<Record<keyof LimitsText, readonly [number, number]>>

/** The names of the number fields, in their order. */
export const LIMIT_NUMBERS = Object.keys(RANGES) as (keyof typeof RANGES)[]

/** Limits for the form. */
export function writeLimits(limits: Limits): LimitsText {
  return {
    concurrent: String(limits.concurrent),
    queue: String(limits.queue),
    queueSeconds: String(limits.queueTimeMs / 1000),
    requestsPerMinute: String(limits.requestsPerMinute),
    maxTokens: String(limits.maxTokens),
    bodyMiB: String(limits.maxBodyBytes / MIB),
    allowedPeers: limits.allowedPeers.join('\n'),
    blockedPeers: limits.blockedPeers.join('\n'),
  }
}

/** What is wrong with the form, by field; empty when it can be saved. */
export function checkLimits(text: LimitsText): Partial<Record<keyof LimitsText, string>> {
  const wrong: Partial<Record<keyof LimitsText, string>> = {}
  for (const name of LIMIT_NUMBERS) {
    const [min, max] = RANGES[name]
    const value = Number(text[name])
    const isWhole = /^\d+$/.test(text[name].trim())
    if (!isWhole || value < min || value > max) wrong[name] = words.wholeNumber(min, max)
  }
  return wrong
}

/** What the form changes; undefined when that is nothing. */
export function limitChanges(before: Limits, text: LimitsText): Partial<Limits> | undefined {
  const after: Limits = {
    concurrent: Number(text.concurrent),
    queue: Number(text.queue),
    queueTimeMs: Number(text.queueSeconds) * 1000,
    requestsPerMinute: Number(text.requestsPerMinute),
    maxTokens: Number(text.maxTokens),
    maxBodyBytes: Number(text.bodyMiB) * MIB,
    allowedPeers: linesOf(text.allowedPeers),
    blockedPeers: linesOf(text.blockedPeers),
  }
  const names = Object.keys(after) as (keyof Limits)[]
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
  return changed.length === 0 ? undefined : Object.fromEntries(changed.map((name) => [name, after[name]]))
}

function linesOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((line) => line !== '')
}

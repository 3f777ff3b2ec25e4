import type { Check } from '#shared/contract/node/doctor.js'

/** A check that found nothing to do. */
export function fine(id: string, fact: string, meaning: string): Check {
  return { id, state: 'ok', fact, meaning, fix: '' }
}

/** A check that found something: `bad` keeps the node from doing its work, `warn` makes it worse at it. */
export function finding(
  id: string,
  state: 'warn' | 'bad' | 'unknown',
  parts: { fact: string; meaning: string; fix?: string; brief?: string },
): Check {
  const { fact, meaning, fix = '', brief } = parts
  return { id, state, fact, meaning, fix, ...(brief === undefined || state !== 'bad' ? {} : { brief }) }
}

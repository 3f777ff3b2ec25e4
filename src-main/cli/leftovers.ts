import type { SettingProblem } from '../config/problem.js'
import { didYouMean, nearNames } from '../config/near-names.js'

/** What a command got besides its options: its arguments, and what it doesn't know. */
export interface Leftovers {
  args: string[]
  problems: SettingProblem[]
}

/** Sorts what commander left over. `literals` stood behind `--` and are arguments whatever they look like. */
export function sortLeftovers(
  rest: readonly string[],
  literals: readonly string[],
  expected: { args: readonly string[]; optional?: readonly string[]; flags: readonly string[] },
): Leftovers {
  const args: string[] = []
  const problems: SettingProblem[] = []
  let valueOfUnknown = false
  for (const word of rest) {
    const isFlag = word.length > 1 && word.startsWith('-')
    if (isFlag) problems.push(unknownFlag(word, expected.flags))
    else if (!valueOfUnknown) args.push(word)
    valueOfUnknown = isFlag && !word.includes('=')
  }
  args.push(...literals)
  if (problems.length === 0) problems.push(...wrongArguments(args, expected.args, expected.optional ?? []))
  return { args, problems }
}

function unknownFlag(word: string, flags: readonly string[]): SettingProblem {
  const flag = word.split('=', 1)[0] ?? word
  return { source: `flag ${flag}`, sentence: `There is no such flag.${didYouMean(nearNames(flag, flags))}` }
}

function wrongArguments(
  args: readonly string[],
  expected: readonly string[],
  optional: readonly string[],
): SettingProblem[] {
  const missing = expected
    .slice(args.length)
    .map((name) => ({ source: `argument ${name}`, sentence: 'It is missing.' }))
  const extra = args
    .slice(expected.length + optional.length)
    .map((word) => ({ source: `argument ${word}`, sentence: 'This command takes no such argument.' }))
  return [...missing, ...extra]
}

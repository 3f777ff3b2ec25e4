import type { IconName } from '../../ui/icons/icon-paths.js'

/** Something the palette can do or lead to. */
export interface Command {
  id: string
  title: string
  /** What kind of thing it is: shown beside the title, found as well. */
  group: string
  icon: IconName
  run: () => void
}

/** More than these nobody reads; typing on narrows the list. */
const MAX_SHOWN = 40

/** The commands that hold every word of the query, those whose title begins with it first; else in their own order. */
export function matchCommands(commands: readonly Command[], query: string): Command[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const rankOf = ({ title, group }: Command): number | undefined => {
    const name = title.toLowerCase()
    const text = `${name} ${group.toLowerCase()}`
    if (!words.every((word) => text.includes(word))) return undefined
    const [first] = words
    if (first === undefined || name.startsWith(first)) return 0
    return name.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(first)) ? 1 : 2
  }
  return commands
    .flatMap((command) => {
      const rank = rankOf(command)
      return rank === undefined ? [] : [{ command, rank }]
    })
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MAX_SHOWN)
    .map(({ command }) => command)
}

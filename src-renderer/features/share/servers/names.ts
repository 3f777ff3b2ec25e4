import type { ShareView } from '#shared/contract/sharing/shares.js'

/** What was typed beside each model, by the server's own id: further names, with commas between. */
export type Names = Readonly<Record<string, string>>

type Alias = ShareView['aliases'][number]

/** What stands beside the models before anything was typed. */
export function firstNames(aliases: readonly Alias[] = []): Names {
  const names: Record<string, string> = {}
  for (const { name, model } of aliases) {
    names[model] = names[model] === undefined ? name : `${names[model]}, ${name}`
  }
  return names
}

/** The names of these models, as a share takes them. */
export function aliasesOf(names: Names, models: readonly string[]): Alias[] {
  return models.flatMap((model) => namesIn(names[model]).map((name) => ({ name, model })))
}

/** What is wrong with the names of a model; undefined when nothing is. */
export function nameProblem(names: Names, models: readonly string[], model: string): 'taken' | 'odd' | undefined {
  const own = namesIn(names[model])
  if (own.some((name) => ['*', '.', '..', '~'].includes(name) || name.length > 200)) return 'odd'
  const all = [...models, ...aliasesOf(names, models).map(({ name }) => name)]
  return own.some((name) => all.filter((other) => other === name).length > 1) ? 'taken' : undefined
}

/** Whether saving would change a name. */
export function namesDiffer(share: ShareView, aliases: readonly Alias[]): boolean {
  const text = (list: readonly Alias[]): string =>
    list
      .map(({ name, model }) => JSON.stringify([model, name]))
      .sort()
      .join()
  return text(share.aliases) !== text(aliases)
}

function namesIn(text: string | undefined): string[] {
  const names = (text ?? '').split(',').map((name) => name.trim())
  return names.filter((name) => name !== '')
}

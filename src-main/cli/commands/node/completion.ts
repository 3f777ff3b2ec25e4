import { AppError } from '#shared/errors.js'
import { LIMIT_NAMES, LIMITS } from '#shared/limits.js'
import { flagName, quote, settingRow } from '../../../config/index.js'
import type { ArgumentValues, CommandPlan } from '../../command-plan.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'

/** The shells that `ocf completion` writes a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/**
 * Each script hands the words of the line to `ocf completion --` and shows what that prints. Bash splits words at `:` and
 * `=`, which names of models and limits have: what stands before the last of them is cut off again.
 */
const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `_ocf() {
  local line=\${COMP_LINE:0:COMP_POINT} word
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[-1]}
  COMPREPLY=()
  while IFS= read -r reply; do
    [[ $reply == "$word"* ]] && COMPREPLY+=("$reply")
  done < <(ocf completion -- "\${words[@]:1}" 2>/dev/null)
  local sign cut=''
  for sign in : =; do
    [[ $word == *$sign* && $COMP_WORDBREAKS == *$sign* && \${#cut} -lt \${#word} ]] || continue
    local before=\${word%"$sign"*}$sign
    (( \${#before} > \${#cut} )) && cut=$before
  done
  COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -o default -F _ocf ocf
`,
  zsh: `#compdef ocf
_ocf() {
  local -a replies
  replies=("\${(@f)$(ocf completion -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  replies=("\${(@)replies:#}")
  (( \${#replies} )) && compadd -a replies || _files
}
compdef _ocf ocf
`,
  fish: `function __ocf_complete
  set -l words (commandline -opc) (commandline -ct)
  ocf completion -- $words[2..-1] 2>/dev/null
end
complete -c ocf -f -a '(__ocf_complete)'
`,
}

/** What a shell may take as it is: a name that a peer chose must not become a command. */
const SAFE = /^[\p{L}\p{N}_.:/@+=,][\p{L}\p{N}_.:/@+=,-]*$/u
const MAX_REPLIES = 500

interface CompletionNeeds {
  io: CliIo
  client: ControlClient
  plans: readonly CommandPlan[]
}

/** `ocf completion SHELL` prints a script; `ocf completion -- WORDS` prints what the last of these words may become. */
export async function runCompletion(
  needs: CompletionNeeds,
  options: { shell: string | undefined; words: readonly string[] },
): Promise<number> {
  const { io, plans } = needs
  const { shell, words } = options
  if (shell !== undefined) {
    const known = SHELLS.find((one) => one === shell)
    if (known === undefined) {
      throw new AppError('invalid_settings', `There is no completion for ${quote(shell)}: say ${SHELLS.join(', ')}.`)
    }
    io.stdout.write(SCRIPTS[known])
    return EXIT.ok
  }
  if (words.length === 0) throw new AppError('invalid_settings', `Say which shell: ${SHELLS.join(', ')}.`)
  const last = words.at(-1) ?? ''
  const [name = '', ...rest] = words
  const plan = plans.find((one) => one.name === name)
  const candidates =
    words.length === 1
      ? plans.map((one) => one.name)
      : plan === undefined || rest.includes('--')
        ? []
        : await candidatesFor(needs, plan, rest)
  // Where a flag is begun only this program's own are offered.
  const isFlag = last.startsWith('-')
  const replies = candidates
    .filter((word) => word.startsWith(last) && (isFlag || SAFE.test(word)))
    .slice(0, MAX_REPLIES)
  io.stdout.write(replies.map((word) => `${word}\n`).join(''))
  return EXIT.ok
}

/** What the last of a command's words may be. */
async function candidatesFor(
  { client }: CompletionNeeds,
  plan: CommandPlan,
  words: readonly string[],
): Promise<readonly string[]> {
  const last = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const flag = before.at(-1) ?? ''
  if (last.startsWith('-')) return flagsOf(plan)
  if (flag.startsWith('--') && takesValue(plan, flag)) {
    const setting = plan.settings.find((name) => flagName(name) === flag)
    const row = setting === undefined ? undefined : settingRow(setting)
    if (row?.kind === 'choice') return row.choices
    return await valuesOf(client, plan.values?.[flag] ?? [])
  }
  const position = before.filter(
    (word, index) => !word.startsWith('-') && !takesValue(plan, before[index - 1] ?? ''),
  ).length
  const names = [...(plan.args ?? []), ...(plan.optionalArgs ?? [])]
  const argument = names[position] ?? plan.repeatedArg
  return argument === undefined ? [] : await valuesOf(client, plan.values?.[argument] ?? [])
}

function flagsOf(plan: CommandPlan): string[] {
  const own = (plan.options ?? []).flatMap(([flags]) => flags.match(/--[a-z][a-z-]*/g) ?? [])
  const settings = plan.settings.filter((name) => settingRow(name).secret !== true).map((name) => flagName(name))
  return [
    ...own,
    ...(plan.json === true ? ['--json'] : []),
    ...settings,
    '--help',
    ...(plan.common ? ['--help-all'] : []),
  ]
}

/** Whether the word after this flag is its value. */
function takesValue(plan: CommandPlan, flag: string): boolean {
  if (!flag.startsWith('--')) return false
  const setting = plan.settings.find((name) => flagName(name) === flag)
  if (setting !== undefined) return settingRow(setting).kind !== 'boolean'
  return (plan.options ?? []).some(([flags]) => flags.includes(flag) && flags.includes('['))
}

async function valuesOf(client: ControlClient, values: ArgumentValues): Promise<readonly string[]> {
  if (values === 'limits') return LIMIT_NAMES.map((name) => `${LIMITS[name].setting.slice('limits.'.length)}=`)
  if (values !== 'models' && values !== 'peers') return values
  try {
    if (values === 'models') return (await client.call('models.list', {})).map(({ id }) => id)
    const people = await client.call('people.list', {})
    const peers = await client.call('peers.list', {})
    return [...new Set([...people.map(({ label }) => label), ...peers.map(({ peerId }) => peerId)])]
  } catch {
    return [] // No node runs: there is nothing to offer.
  }
}

import { expect, it } from 'vitest'
import { guardedIo } from '../../../src-main/cli/guarded-io.js'
import { createProgram } from '../../../src-main/cli/program.js'
import { METRICS } from '../../../src-main/telemetry/metrics-table.js'
import { cli } from '../cli/cli-fixture.js'
import { listPages, parsePage, readPage } from './markdown.js'

const given = cli()
const handlers = { start: never, app: never, demo: never }
const program = createProgram(
  { io: guardedIo(given.io), handlers, connect: () => given.client },
  { literals: [], finish: () => undefined },
)
const commands = new Map(program.commands.map((command) => [command.name(), command]))
/** Pages for those who use the program; decisions and the changelog also speak of what was. */
const PAGES = listPages().filter((path) => !path.startsWith('docs/decisions/') && path !== 'CHANGELOG.md')

function never(): Promise<number> {
  throw new Error('no command runs here')
}

/** Calls of the program in the code of a page: the command, and its options; what is behind `--` is for another one. */
function calls(code: readonly string[]): { command: string; options: string[] }[] {
  const lines = code.join('\n').replaceAll('\\\n', ' ').split('\n')
  return lines.flatMap((line) =>
    [...line.matchAll(/(?<![\w./-])ocf ([a-z]+)([^`|;&#]*)/g)].map(([, command = '', rest = '']) => ({
      command,
      options: [...(rest.split(' -- ')[0] ?? '').matchAll(/(?<=[\s[])--([a-z][a-z0-9.-]*)/g)].map(
        ([, name = '']) => name,
      ),
    })),
  )
}

/** What is wrong with a page's calls. */
function mistakes(code: readonly string[]): string[] {
  return calls(code).flatMap(({ command, options }) => {
    if (command === 'help') return []
    const known = commands.get(command)
    if (known === undefined) return [`ocf ${command}`]
    return options
      .filter((name) => name !== 'help' && !known.options.some(({ long }) => long === `--${name}`))
      .map((name) => `ocf ${command} --${name}`)
  })
}

it.each(PAGES)('%s names only commands and options that there are', (path) => {
  expect(mistakes(readPage(path).code)).toEqual([])
})

it('the page of the command line names every command', () => {
  const named = new Set(calls(readPage('docs/guide/commands.md').code).map(({ command }) => command))
  expect([...commands.keys()].filter((name) => !named.has(name))).toEqual([])
})

it('finds commands and options that there are not', () => {
  const page = parsePage(
    'x.md',
    'Run `npx ocf fly --high`.\n\n```sh\nocf start --port 1 \\\n  --no-such 2\nocf peers\n```\n',
  )
  expect(mistakes(page.code)).toEqual(['ocf start --no-such', 'ocf fly'])
})

it.each(PAGES)('%s names only metrics that there are', (path) => {
  const names = readPage(path).code.flatMap((code) => code.match(/\bocf_[a-z0-9_]+/g) ?? [])
  const known = (name: string): boolean =>
    name.startsWith('ocf_libp2p_') || name.replace(/_(bucket|sum|count)$/, '') in METRICS || name in METRICS
  expect(names.filter((name) => !known(name))).toEqual([])
})

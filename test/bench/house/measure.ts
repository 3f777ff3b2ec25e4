/**
 * Measures the house: files, lines, files a folder, fragments, cycles. `node test/bench/house/measure.ts [--source DIR]`
 * measures this checkout or another one, so that two can be compared.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parseSync } from 'vite'

const FRAGMENT_LINES = 50

interface SourceFile {
  /** Relative to the checkout, with `/`. */
  path: string
  lines: number
  /** Files of the same tree that it imports at run time. */
  imports: Set<string>
  /** Those it imports at all, types included. */
  mentions: Set<string>
}

/** The source files below a folder of a checkout, with what each imports. */
function readSources(root: string, folder: string): Map<string, SourceFile> {
  const paths = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  const known = new Set(paths)
  return new Map(paths.map((path) => [path, readSource(root, path, known)]))
}

function readSource(root: string, path: string, known: ReadonlySet<string>): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const file: SourceFile = { path, lines: text.split('\n').length - 1, imports: new Set(), mentions: new Set() }
  for (const { specifier, isValue } of importsOf(path, text)) {
    const target = resolveImport(path, specifier, known)
    if (target === undefined) continue
    file.mentions.add(target)
    if (isValue) file.imports.add(target)
  }
  return file
}

/** What a module imports; `import type` and imports of types only vanish at run time. */
function importsOf(path: string, text: string): { specifier: string; isValue: boolean }[] {
  const { staticImports, staticExports, dynamicImports } = parseSync(path, text).module
  const imported = staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    isValue: entries.length === 0 || entries.some(({ isType }) => !isType),
  }))
  const passedOn = staticExports
    .flatMap(({ entries }) => entries)
    .flatMap(({ moduleRequest, isType }) =>
      moduleRequest === null ? [] : [{ specifier: moduleRequest.value, isValue: !isType }],
    )
  // Loaded later: no part of a cycle while modules start.
  const loadedLater = dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
    const [, specifier] = /^['"](.*)['"]$/.exec(text.slice(start, end)) ?? []
    return specifier === undefined ? [] : [{ specifier, isValue: false }]
  })
  return [...imported, ...passedOn, ...loadedLater]
}

function resolveImport(from: string, specifier: string, known: ReadonlySet<string>): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const base = normalize(join(dirname(from), specifier)).replace(/\.js$/, '')
  return [base, `${base}.ts`, `${base}.tsx`].find((path) => known.has(path))
}

/** Groups of files that import each other at run time (strongly connected, more than one file): Tarjan's algorithm. */
function cyclesOf(files: ReadonlyMap<string, SourceFile>): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const connect = (path: string): void => {
    index.set(path, index.size)
    low.set(path, index.get(path) ?? 0)
    stack.push(path)
    for (const next of files.get(path)?.imports ?? []) {
      if (!index.has(next)) connect(next)
      else if (!stack.includes(next)) continue
      low.set(path, Math.min(low.get(path) ?? 0, low.get(next) ?? 0))
    }
    if (low.get(path) !== index.get(path)) return
    const group = stack.splice(stack.indexOf(path))
    if (group.length > 1) found.push(group)
  }
  for (const path of files.keys()) if (!index.has(path)) connect(path)
  return found
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function measure(root: string, folder: string): Record<string, string | number> {
  const files = readSources(root, folder)
  const all = [...files.values()]
  const importers = Map.groupBy(
    all.flatMap((file) => [...file.mentions]),
    (path) => path,
  )
  const folders = Map.groupBy(all, ({ path }) => dirname(path))
  const sizes = [...folders.values()].map((members) => members.length)
  const fragments = all.filter(({ path, lines }) => lines < FRAGMENT_LINES && importers.get(path)?.length === 1)
  const crowded = [...folders].filter(([, members]) => members.length > 15)
  return {
    files: all.length,
    lines: all.reduce((sum, { lines }) => sum + lines, 0),
    'lines a file, median': median(all.map(({ lines }) => lines)),
    'lines a file, most': Math.max(...all.map(({ lines }) => lines)),
    'files a folder, median': median(sizes),
    'files a folder, most': Math.max(...sizes),
    'folders of more than 15': crowded.map(([path, members]) => `${path} ${members.length}`).join(', ') || 'none',
    'files below 50 lines with one importer': fragments.length,
    'cycles at run time':
      cyclesOf(files)
        .map((group) => group.join(' → '))
        .join('; ') || 'none',
  }
}

const { values } = parseArgs({ options: { source: { type: 'string' } } })
const root = resolve(values.source ?? join(import.meta.dirname, '../../..'))
for (const folder of ['src-main', 'src-renderer', 'src-shared']) {
  console.log(`\n${folder}`)
  for (const [name, value] of Object.entries(measure(root, folder))) console.log(`  ${name.padEnd(40)} ${value}`)
}

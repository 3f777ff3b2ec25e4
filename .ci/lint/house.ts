/**
 * Lint rules that hold the house together (docs/architecture.md): which room may import from which and through which
 * file, in which order imports stand, and how files are named. Imports are resolved by path only; what TypeScript makes
 * of them is its own business.
 */
import { isBuiltin } from 'node:module'
import { basename, dirname, join, normalize, relative, sep } from 'node:path'
import type { RuleTester } from 'oxlint/plugins-dev'

type Rule = Extract<Parameters<RuleTester['run']>[1], { create: unknown; createOnce?: never }>
type Context = Parameters<Rule['create']>[0]
type Visitor = ReturnType<Rule['create']>
type Import = Parameters<NonNullable<Visitor['ImportDeclaration']>>[0]
type Source = Import['source']

/** The path below the checkout, with `/`. */
const pathOf = (context: Context): string => relative(context.cwd, context.filename).split(sep).join('/')

/** What a relative import names, below the checkout and without its ending. */
const targetOf = (path: string, specifier: string): string =>
  normalize(join(dirname(path), specifier))
    .split(sep)
    .join('/')
    .replace(/\.(js|ts|tsx)$/, '')

/** Calls `check` with every module specifier of a file, those of `import()` and `export … from` too. */
const everyImport = (check: (specifier: string, node: Source) => void): Visitor => {
  const checkSource = (node: object | null): void => {
    if (isText(node)) check(node.value, node)
  }
  return {
    ImportDeclaration({ source }) {
      checkSource(source)
    },
    ImportExpression({ source }) {
      checkSource(source)
    },
    ExportNamedDeclaration({ source }) {
      checkSource(source)
    },
    ExportAllDeclaration({ source }) {
      checkSource(source)
    },
  }
}

const isText = (node: object | null): node is Source =>
  node !== null && 'type' in node && node.type === 'Literal' && 'value' in node && typeof node.value === 'string'

/** The room of a path: the longest of these prefixes; `undefined` where none fits. */
const roomOf = (rooms: readonly string[], path: string): string | undefined =>
  rooms.filter((room) => path === room || path.startsWith(`${room}/`)).sort((a, b) => b.length - a.length)[0]

/**
 * `layers`: the rooms from the bottom up, as lists of path prefixes; a file may import from its own room, from those on
 * its level and from those below. Rooms below `apart` do not import from each other either. A file below `within` that
 * lies in no room is a fault, too.
 */
const layers: Rule = {
  meta: {
    type: 'problem',
    schema: [{ type: 'object', required: ['within', 'layers'] }],
    messages: {
      homeless: '{{path}} lies in no room: add its folder to the layers in .ci/lint/rooms.ts.',
      up: '{{from}} may not import from {{to}}, which is above it or beside it (docs/architecture.md).',
    },
  },
  create(context) {
    const [{ within, layers: levels, apart = '-' }] = context.options as unknown as [LayerOptions]
    const path = pathOf(context)
    if (!path.startsWith(`${within}/`)) return {}
    const rooms = levels.flat()
    const levelOf = (room: string): number => levels.findIndex((level) => level.includes(room))
    const from = roomOf(rooms, path.replace(/\.tsx?$/, ''))
    return {
      Program(node) {
        if (from === undefined) context.report({ node, messageId: 'homeless', data: { path } })
      },
      ...everyImport((specifier, node) => {
        if (from === undefined || !specifier.startsWith('.')) return
        const to = roomOf(rooms, targetOf(path, specifier))
        if (to === undefined || to === from) return
        const areSiblings = from.startsWith(`${apart}/`) && to.startsWith(`${apart}/`)
        if (areSiblings || levelOf(to) > levelOf(from)) context.report({ node, messageId: 'up', data: { from, to } })
      }),
    }
  },
}

/**
 * A room is entered by its `index.ts`. `open` lists the files and folders that are open to other rooms besides; a room
 * that stands in it whole has no index.
 */
const faces: Rule = {
  meta: {
    type: 'problem',
    schema: [{ type: 'object', required: ['within', 'open'] }],
    messages: {
      past: '{{target}} is a private part of its room: import from the room’s index.ts, or list it in .ci/lint/rooms.ts.',
    },
  },
  create(context) {
    const [{ within, open }] = context.options as unknown as [FaceOptions]
    const path = pathOf(context)
    const topRoom = (file: string): string | undefined => file.slice(within.length + 1).split('/')[0]
    if (!path.startsWith(`${within}/`)) return {}
    return everyImport((specifier, node) => {
      if (!specifier.startsWith('.')) return
      const target = targetOf(path, specifier)
      if (!target.startsWith(`${within}/`) || topRoom(target) === topRoom(path)) return
      if (basename(target) === 'index') return
      if (open.some((entry) => target === entry || target.startsWith(`${entry}/`))) return
      context.report({ node, messageId: 'past', data: { target } })
    })
  },
}

/** Files and folders are named in lower case with hyphens. */
const fileName: Rule = {
  meta: { type: 'suggestion', schema: [], messages: { name: '{{name}} is not in lower case with hyphens.' } },
  create(context) {
    const path = pathOf(context)
    const bad = path.split('/').find((part) => !/^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(part))
    return bad === undefined
      ? {}
      : { Program: (node) => context.report({ node, messageId: 'name', data: { name: bad } }) }
  },
}

/** The groups of imports, in their order. */
const GROUPS = ['Node’s', 'packages’', 'shared', 'parents’', 'siblings’', 'the index’s']

/** Which of `GROUPS` an import belongs to. */
function groupOf(specifier: string): number {
  if (isBuiltin(specifier)) return 0
  if (specifier.startsWith('#shared/')) return 2
  if (!specifier.startsWith('.')) return 1
  if (specifier.startsWith('..')) return 3
  return /^\.\/?(index(\.js)?)?$/.test(specifier) ? 5 : 4
}

/** Below zero where `a` comes before `b`: by group, then by the parts of their paths, whatever their case. */
function compareImports(a: string, b: string): number {
  const [left, right] = [a, b].map((specifier) => specifier.toLowerCase().split('/')) as [string[], string[]]
  const at = left.findIndex((part, index) => part !== right[index])
  const byPath = at === -1 ? left.length - right.length : compareParts(left[at], right[at])
  return groupOf(a) - groupOf(b) || byPath
}

function compareParts(a = '', b = ''): number {
  return a < b ? -1 : Number(a > b)
}

/** The imports at the head of a file stand in one block, group by group and each in the order of the alphabet. */
const importOrder: Rule = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      order: '{{specifier}} belongs before {{before}}: imports stand by group ({{groups}}), then by the alphabet.',
      gap: 'No empty line between imports.',
    },
  },
  create(context) {
    let last: Import | undefined
    return {
      ImportDeclaration(node) {
        // An import for its effect alone stands where the effect is due.
        if (node.specifiers.length === 0) return
        if (last !== undefined) {
          const [specifier, before] = [node.source.value, last.source.value]
          if (compareImports(specifier, before) < 0)
            context.report({ node, messageId: 'order', data: { specifier, before, groups: GROUPS.join(', ') } })
          const between = context.sourceCode.text.slice(last.range[1], node.range[0])
          if (/^\s*\n\s*\n/.test(between)) context.report({ node, messageId: 'gap' })
        }
        last = node
      },
    }
  },
}

/** Options of the rule `layers`. */
interface LayerOptions {
  within: string
  layers: string[][]
  apart?: string
}

/** Options of the rule `faces`. */
interface FaceOptions {
  within: string
  open: string[]
}

export default { meta: { name: 'house' }, rules: { layers, faces, 'file-name': fileName, 'import-order': importOrder } }

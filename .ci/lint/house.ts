/**
 * ESLint rules that hold the house together (docs/architecture.md): which room may import from which, and through which
 * door. `files` and imports are resolved by path only; what TypeScript makes of them is its own business.
 */
import { basename, dirname, join, normalize, relative, sep } from 'node:path'
import type { Rule } from 'eslint'

/** A module specifier in an import or export. */
interface Source {
  type: string
  value?: unknown
}

/** The path below the checkout, with `/`. */
const pathOf = (context: Rule.RuleContext): string => relative(context.cwd, context.filename).split(sep).join('/')

/** What a relative import names, below the checkout and without its ending. */
const targetOf = (path: string, specifier: string): string =>
  normalize(join(dirname(path), specifier))
    .split(sep)
    .join('/')
    .replace(/\.(js|ts|tsx)$/, '')

/** Calls `check` with every module specifier of a file, those of `import()` and `export … from` too. */
const everyImport = (check: (specifier: string, node: Rule.Node) => void): Rule.RuleListener => {
  const checkSource = (node: { source?: Source | null }): void => {
    const { source } = node
    if (source?.type === 'Literal' && typeof source.value === 'string') check(source.value, source as Rule.Node)
  }
  return {
    ImportDeclaration: checkSource,
    ImportExpression: checkSource,
    ExportNamedDeclaration: checkSource,
    ExportAllDeclaration: checkSource,
  }
}

/** The room of a path: the longest of these prefixes; `undefined` where none fits. */
const roomOf = (rooms: readonly string[], path: string): string | undefined =>
  rooms.filter((room) => path === room || path.startsWith(`${room}/`)).sort((a, b) => b.length - a.length)[0]

/**
 * `layers`: the rooms from the bottom up, as lists of path prefixes; a file may import from its own room, from those on
 * its level and from those below. Rooms below `apart` do not import from each other either. A file below `within` that
 * lies in no room is a fault, too.
 */
const layers: Rule.RuleModule = {
  meta: {
    type: 'problem',
    schema: [{ type: 'object', required: ['within', 'layers'] }],
    messages: {
      homeless: '{{path}} lies in no room: add its folder to the layers in .ci/lint/rooms.ts.',
      up: '{{from}} may not import from {{to}}, which is above it or beside it (docs/architecture.md).',
    },
  },
  create(context) {
    const [{ within, layers: levels, apart = '-' }] = context.options as [LayerOptions]
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
const faces: Rule.RuleModule = {
  meta: {
    type: 'problem',
    schema: [{ type: 'object', required: ['within', 'open'] }],
    messages: {
      past: '{{target}} is a private part of its room: import from the room’s index.ts, or list it in .ci/lint/rooms.ts.',
    },
  },
  create(context) {
    const [{ within, open }] = context.options as [FaceOptions]
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
const fileName: Rule.RuleModule = {
  meta: { type: 'suggestion', schema: [], messages: { name: '{{name}} is not in lower case with hyphens.' } },
  create(context) {
    const path = pathOf(context)
    const bad = path.split('/').find((part) => !/^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(part))
    return bad === undefined
      ? {}
      : { Program: (node) => context.report({ node, messageId: 'name', data: { name: bad } }) }
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

export default { meta: { name: 'house' }, rules: { layers, faces, 'file-name': fileName } }

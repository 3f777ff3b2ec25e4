import { globSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { RuleTester } from 'oxlint/plugins-dev'
import { describe, expect, it } from 'vitest'
import house from '../../../.ci/lint/house.js'
import { MAIN_LAYERS, MAIN_OPEN, RENDERER_LAYERS } from '../../../.ci/lint/rooms.js'

const ROOT = resolve(import.meta.dirname, '../../..')

RuleTester.describe = (_rule, run) => run()
RuleTester.it = it
const tester = new RuleTester({ cwd: ROOT, languageOptions: { sourceType: 'module' } })

/** A rule and the options it is tested with. */
interface Tried {
  rule: keyof typeof house.rules
  options?: object
}

/** Tests that a file with these imports is right, or that the rule says this of it. */
function expectOf({ rule, options }: Tried) {
  return (name: string, file: string, imports: readonly string[], ...complaints: RegExp[]): void => {
    const code = imports
      .map((line, index) => (/^(import|export) /.test(line) ? line : `import v${index} from '${line}'`))
      .join('\n')
    const one = { name, code, filename: resolve(ROOT, file), ...(options && { options: [{ ...options }] }) }
    const errors = complaints.map((message) => ({ message }))
    tester.run(rule, house.rules[rule], {
      valid: errors.length === 0 ? [one] : [],
      invalid: errors.length === 0 ? [] : [{ ...one, errors }],
    })
  }
}

describe('the layers of the lint', () => {
  const options = { within: 'src', layers: [['src/base'], ['src/p2p', 'src/table'], ['src/main']], apart: 'src/pages' }
  const layers = expectOf({ rule: 'layers', options })
  const pages = expectOf({ rule: 'layers', options: { ...options, layers: [['src/pages/home', 'src/pages/chat']] } })
  const up = /may not import from src\/main/

  layers('a room imports from itself, its level and those below', 'src/p2p/a.ts', [
    './b.js',
    '../table/c.js',
    '../base/d.js',
    'zod',
  ])
  layers('a room above imports from one below', 'src/main.ts', ['./p2p/a.js'])
  layers('an import from above is refused', 'src/p2p/deep/a.ts', ['../../main.js'], up)
  layers('an export from above is refused', 'src/p2p/a.ts', ["export { b } from '../main.js'"], up)
  layers('an export of everything above is refused', 'src/p2p/a.ts', ["export * from '../main.js'"], up)
  layers('an import() from above is refused', 'src/p2p/a.ts', ["export const b = () => import('../main.js')"], up)
  layers('a file that lies in no room is refused', 'src/attic/a.ts', [], /lies in no room/)
  pages('a room that stands apart imports from itself', 'src/pages/home/a.ts', ['./b.js'])
  pages('rooms that stand apart do not import from each other', 'src/pages/home/a.ts', ['../chat/b.js'], /chat/)
})

describe('the faces of rooms', () => {
  const faces = expectOf({ rule: 'faces', options: { within: 'src', open: ['src/base', 'src/api/client'] } })

  faces('an index, and what is listed as open, may be imported', 'src/gateway/a.ts', [
    '../p2p/index.js',
    '../p2p/http/index.js',
    '../base/clock.js',
    '../api/client.js',
    './own.js',
  ])
  faces('an index is not passed by', 'src/gateway/a.ts', ['../p2p/http/peer-clients.js'], /private part/)
  faces('an open file opens no other of a like name', 'src/gateway/a.ts', ['../api/client-secrets.js'], /private part/)
})

describe('the order of imports', () => {
  const order = expectOf({ rule: 'import-order' })
  const inOrder = ['node:fs', 'path', 'koa', 'Zod', '#shared/errors.js', '../../a.js', '../b.js', './C.js', './d.js']

  order('it is by group, then by the alphabet', 'src/a.ts', [...inOrder, './index.js'])
  order('an import for its effect alone may stand anywhere', 'src/a.tsx', ['./d.js', "import './a.css'", './e.js'])
  order('shorter paths come before the longer ones that begin like them', 'src/a.ts', ['koa', 'koa/b', 'koa-cors'])
  order('a package does not come before one of Node’s', 'src/a.ts', ['koa', 'node:fs'], /node:fs belongs before koa/)
  order('a sibling does not come before a parent', 'src/a.ts', ['./d.js', '../b.js'], /belongs before/)
  order('shared files do not come before packages', 'src/a.ts', ['#shared/a.js', 'koa'], /belongs before/)
  order('an index does not come before a sibling', 'src/a.ts', ['./index.js', './z.js'], /belongs before/)
  order('types stand among the others', 'src/a.ts', ['zod', "import type { A } from 'koa'"], /koa belongs before zod/)
  order('no empty line stands between', 'src/a.ts', ["import a from 'a'\n", 'b'], /No empty line/)
})

describe('the names of files', () => {
  const fileName = expectOf({ rule: 'file-name' })

  fileName('lower case with hyphens is right', 'src/a/peer-clients.test.ts', [])
  fileName('upper case is not', 'src/a/PeerClients.ts', [], /PeerClients/)
  fileName('underscores are not, in folders either', 'src/snake_case/a.ts', [], /snake_case/)
})

it('every room and face of the list exists', () => {
  const names = [...MAIN_LAYERS.flat(), ...MAIN_OPEN, ...RENDERER_LAYERS.flat()]
  const missing = names.filter((name) => globSync(`${name}{,.ts,.tsx}`, { cwd: ROOT }).length === 0)
  expect(missing).toEqual([])
})

it('no folder of the source has more than 15 files', () => {
  const files = globSync('src-{main,renderer}/**/*.{ts,tsx}', { cwd: ROOT })
  const folders = Map.groupBy(files, (file) => dirname(file))
  const crowded = [...folders].filter(([, members]) => members.length > 15)
  expect(crowded.map(([folder, members]) => `${folder} ${members.length}`)).toEqual([])
})

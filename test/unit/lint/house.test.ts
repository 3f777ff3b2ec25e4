import { globSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Linter } from 'eslint'
import { describe, expect, it } from 'vitest'
import house from '../../../.ci/lint/house.js'
import { MAIN_LAYERS, MAIN_OPEN, RENDERER_LAYERS } from '../../../.ci/lint/rooms.js'

const ROOT = resolve(import.meta.dirname, '../../..')

/** The messages of one rule for a file that imports these. */
function complaints(rule: string, options: object, file: string, imports: readonly string[]): string[] {
  const code = imports.map((specifier, index) => `import v${index} from '${specifier}'`).join('\n')
  const config = {
    plugins: { house },
    rules: { [`house/${rule}`]: rule === 'file-name' ? 'error' : ['error', options] },
    files: ['**/*.ts'],
  }
  const messages = new Linter({ cwd: ROOT }).verify(code, [config as Linter.Config], resolve(ROOT, file))
  return messages.map(({ message }) => message)
}

describe('the layers of the lint', () => {
  const options = { within: 'src', layers: [['src/base'], ['src/p2p', 'src/table'], ['src/main']], apart: 'src/pages' }

  it('let a room import from itself, its level and those below', () => {
    expect(complaints('layers', options, 'src/p2p/a.ts', ['./b.js', '../table/c.js', '../base/d.js', 'zod'])).toEqual(
      [],
    )
    expect(complaints('layers', options, 'src/main.ts', ['./p2p/a.js'])).toEqual([])
  })

  it('refuse what is above, also by import() and export', () => {
    const up = /may not import from src\/main/
    expect(complaints('layers', options, 'src/p2p/deep/a.ts', ['../../main.js'])).toEqual([expect.stringMatching(up)])
  })

  it('refuse a file that lies in no room', () => {
    expect(complaints('layers', options, 'src/attic/a.ts', [])).toEqual([expect.stringContaining('lies in no room')])
  })

  it('keep rooms that stand apart from each other', () => {
    const pages = { ...options, layers: [['src/pages/home', 'src/pages/chat']] }
    expect(complaints('layers', pages, 'src/pages/home/a.ts', ['../chat/b.js'])).toHaveLength(1)
    expect(complaints('layers', pages, 'src/pages/home/a.ts', ['./b.js'])).toEqual([])
  })
})

describe('the faces of rooms', () => {
  const options = { within: 'src', open: ['src/base', 'src/api/client'] }

  it('are their index, and what is listed as open', () => {
    const allowed = ['../p2p/index.js', '../p2p/http/index.js', '../base/clock.js', '../api/client.js', './own.js']
    expect(complaints('faces', options, 'src/gateway/a.ts', allowed)).toEqual([])
  })

  it('are not passed by', () => {
    expect(complaints('faces', options, 'src/gateway/a.ts', ['../p2p/http/peer-clients.js'])).toHaveLength(1)
    expect(complaints('faces', options, 'src/gateway/a.ts', ['../api/client-secrets.js'])).toHaveLength(1)
  })
})

it('every room and face of the list exists', () => {
  const names = [...MAIN_LAYERS.flat(), ...MAIN_OPEN, ...RENDERER_LAYERS.flat()]
  const missing = names.filter((name) => globSync(`${name}{,.ts,.tsx}`, { cwd: ROOT }).length === 0)
  expect(missing).toEqual([])
})

it('file names have one style', () => {
  expect(complaints('file-name', {}, 'src/a/peer-clients.test.ts', [])).toEqual([])
  expect(complaints('file-name', {}, 'src/a/PeerClients.ts', [])).toHaveLength(1)
  expect(complaints('file-name', {}, 'src/snake_case/a.ts', [])).toHaveLength(1)
})

it('no folder of the source has more than 15 files', () => {
  const files = globSync('src-{main,renderer}/**/*.{ts,tsx}', { cwd: ROOT })
  const folders = Map.groupBy(files, (file) => dirname(file))
  const crowded = [...folders].filter(([, members]) => members.length > 15)
  expect(crowded.map(([folder, members]) => `${folder} ${members.length}`)).toEqual([])
})

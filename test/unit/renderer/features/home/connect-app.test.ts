import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { ModelView } from '#shared/contract/models/models.js'
import { APPS } from '../../../../../src-renderer/features/home/apps.js'
import { modelForExamples } from '../../../../../src-renderer/features/home/model-for-examples.js'

describe('examples', () => {
  const target = (model: string) => ({ gateway: 'http://127.0.0.1:8092', base: 'http://127.0.0.1:8092/v1', model })
  const codeOf = (name: string, model: string): string =>
    APPS.find((app) => app.name === name)?.code(target(model)) ?? ''

  test('examples escape quotes in model names', () => {
    const name = `it's a "model" \\ name`
    const body = /-d '([\s\S]*)'$/.exec(codeOf('curl', name))![1]!.replaceAll(`'\\''`, "'")
    expect((JSON.parse(body) as { model: string }).model).toBe(name)
    expect(codeOf('Python', name)).toContain(`model=${JSON.stringify(name)},`)
    expect(codeOf('Node', name)).toContain(`model: ${JSON.stringify(name)},`)
  })

  test('a shell takes a hostile name of a model in the examples as one word', () => {
    const model = `$(touch /tmp/x); it's "one" \`word\``
    for (const [app, line] of [
      ['Claude Code', /--model (.*)\n/],
      ['aider', /--model (.*)\n/],
      ['Claude Code', /ANTHROPIC_MODEL=(.*) claude$/],
    ] as const) {
      const [, word = ''] = line.exec(codeOf(app, model)) ?? []
      expect(execFileSync('sh', ['-c', `printf %s ${word}`], { encoding: 'utf8' })).toBe(model)
    }
  })

  test('there is a tab for every app that people ask for, with its name once, and each says whether it was tried', () => {
    const names = APPS.map(({ name }) => name)
    const asked = [
      'Claude Code',
      'Codex',
      'OpenCode',
      'Cline',
      'Continue',
      'Cursor',
      'Zed',
      'aider',
      'Open WebUI',
      'n8n',
    ]
    for (const name of [...asked, 'Open WebUI in Docker', 'LangChain', 'Python', 'Node', 'curl']) {
      expect(names).toContain(name)
    }
    expect(new Set(names).size).toBe(names.length)
    for (const { tried } of APPS) if (tried !== null) expect(tried).toMatch(/\d+\.\d+.*, \d{4}-\d{2}-\d{2}$/)
  })

  test('the JSON of the examples is JSON', () => {
    const name = `a"b\\c`
    for (const app of ['OpenCode', 'Zed']) {
      const code = codeOf(app, name)
      const body = code.slice(code.search(/[{"]/))
      expect(() => JSON.parse(app === 'Zed' ? `{${body}}` : code.slice(code.indexOf('\n\n')))).not.toThrow()
    }
  })

  test('examples use a model of this computer first, then one of a connected peer', () => {
    const model = (id: string, change: Partial<ModelView>): ModelView => ({
      id,
      providers: [],
      local: false,
      shared: false,
      visibility: null,
      servers: [],
      ...change,
    })
    const peer = { self: false, trusted: false, visibility: 'everyone' as const, load: null }
    const far = model('far', { providers: [{ ...peer, peerId: 'a', connected: false }] })
    const near = model('near', { providers: [{ ...peer, peerId: 'b', connected: true }] })
    const own = model('own', { local: true })
    expect(modelForExamples([far, near, own])).toBe('own')
    expect(modelForExamples([far, near])).toBe('near')
    expect(modelForExamples([far])).toBe('far')
    expect(modelForExamples([])).toBeUndefined()
  })
})

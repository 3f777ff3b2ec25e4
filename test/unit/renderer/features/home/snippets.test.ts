import { describe, expect, test } from 'vitest'
import type { ModelView } from '#shared/contract/models/models.js'
import { modelForExamples, snippetsFor } from '../../../../../src-renderer/features/home/snippets.js'

describe('examples', () => {
  test('examples escape quotes in model names', () => {
    const name = `it's a "model" \\ name`
    const [curl, python, node] = snippetsFor('http://127.0.0.1:8092/v1', name)
    const body = /-d '([\s\S]*)'$/.exec(curl!.code)![1]!.replaceAll(`'\\''`, "'")
    expect((JSON.parse(body) as { model: string }).model).toBe(name)
    expect(python!.code).toContain(`model=${JSON.stringify(name)},`)
    expect(node!.code).toContain(`model: ${JSON.stringify(name)},`)
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

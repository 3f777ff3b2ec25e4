import { describe, expect, test } from 'vitest'
import type { ModelProvider, ModelView } from '#shared/contract/models/models.js'
import { chooseModel } from '../../../../../src-main/cli/commands/launch/choose-model.js'

const TOOL = { title: 'A tool', leastContext: 32_000, wantsTools: true }

const provider = (over: Partial<ModelProvider> = {}): ModelProvider => ({
  ...{ peerId: 'p', self: false, connected: true, trusted: false, visibility: 'everyone', load: null },
  ...over,
})

const model = (id: string, over: Partial<ModelView> = {}): ModelView => ({
  ...{ id, providers: [provider()], local: false, shared: false, visibility: null, servers: [] },
  ...{ contextLength: 64_000, capabilities: ['tools'] },
  ...over,
})

const chosen = (models: ModelView[], named?: string): string => chooseModel(models, TOOL, named).model.id

describe('the model that a tool is launched with', () => {
  test('a model whose context is too short for the tool is not chosen', () => {
    expect(chosen([model('short', { contextLength: 8_192, parameters: '70B' }), model('long')])).toBe('long')
  })

  test('a model that cannot use tools is not chosen for a tool that works through them', () => {
    expect(chosen([model('mute', { capabilities: [], parameters: '70B' }), model('handy')])).toBe('handy')
  })

  test('embedding models, the demo model and models that no one can be asked for are not chosen', () => {
    const paused = { slotsTotal: 1, slotsFree: 1, queueLength: 0, paused: true }
    const models = [
      model('embed', { kind: 'embedding', contextLength: 1e6 }),
      model('ocf-demo', { providers: [provider({ self: true })], contextLength: 1e6 }),
      model('away', { providers: [provider({ connected: false })], contextLength: 1e6 }),
      model('paused', { providers: [provider({ load: paused })], contextLength: 1e6 }),
    ]
    expect(() => chosen(models)).toThrow('There is no model that A tool could use')
    expect(chosen([...models, model('there')])).toBe('there')
  })

  test('a model of this computer comes before one of a trusted peer, and that before a larger one of a stranger', () => {
    const large = model('strangers', { parameters: '70B' })
    const trusted = model('trusted', { parameters: '8.0B', providers: [provider({ trusted: true })] })
    const own = model('own', { parameters: '500M', providers: [provider({ self: true, trusted: true })] })
    expect(chosen([large, trusted, own])).toBe('own')
    expect(chosen([large, trusted])).toBe('trusted')
  })

  test('of models that are equally near the larger one is chosen', () => {
    expect(chosen([model('a', { parameters: '8.0B' }), model('b', { parameters: '70B' }), model('c')])).toBe('b')
  })

  test('where no model suffices the error says why, and how to use one anyway', () => {
    const message = 'short takes 8,192 tokens, and A tool needs 32,000. Use it anyway with `--model short`.'
    expect(() => chosen([model('short', { contextLength: 8_192 })])).toThrow(message)
  })

  test('a model that was named is taken, with a warning where it does not suffice', () => {
    const models = [model('short', { contextLength: 8_192 }), model('silent', { contextLength: undefined })]
    expect(chooseModel(models, TOOL, 'short').warning).toBe('short takes 8,192 tokens, and A tool needs 32,000.')
    expect(chooseModel(models, TOOL, 'silent').warning).toContain('does not say how many tokens')
    expect(() => chosen(models, 'shrot')).toThrow('There is no model "shrot". Did you mean short?')
  })
})

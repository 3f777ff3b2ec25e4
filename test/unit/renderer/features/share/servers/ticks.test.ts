import { describe, expect, test } from 'vitest'
import type { DetectedModel } from '#shared/contract/sharing/detection.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import {
  firstTicks,
  tickedIds,
  ticksDiffer,
  toggleTick,
} from '../../../../../../src-renderer/features/share/servers/ticks.js'

describe('ticked models', () => {
  const model = (id: string): DetectedModel => ({
    id,
    contextLength: null,
    quantisation: null,
    sizeBytes: null,
    parameters: null,
    loaded: null,
  })
  const models = [model('a'), model('b')]
  const share = (ticked: ShareView['models']) => ({ models: ticked }) as ShareView

  test('every model is ticked before the first share, and afterwards the shared ones', () => {
    expect(firstTicks(models, undefined)).toEqual(['a', 'b'])
    expect(firstTicks(models, share(['b']))).toEqual(['b'])
    expect(tickedIds(models, 'all')).toEqual(['a', 'b'])
    expect(tickedIds(models, ['b', 'gone'])).toEqual(['b'])
  })
  test('unticking one of all models leaves the others ticked', () => {
    expect(toggleTick(models, 'all', 'a')).toEqual(['b'])
    expect(toggleTick(models, ['b'], 'a')).toEqual(['b', 'a'])
  })
  test('ticks differ from the share when there is something to save', () => {
    expect(ticksDiffer(share(['a', 'b']), ['b', 'a'])).toBe(false)
    expect(ticksDiffer(share(['a']), ['b'])).toBe(true)
    expect(ticksDiffer(share('all'), 'all')).toBe(false)
    expect(ticksDiffer(share('all'), ['a', 'b'])).toBe(true)
  })
})

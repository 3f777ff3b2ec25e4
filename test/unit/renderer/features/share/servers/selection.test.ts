import { expect, test } from 'vitest'
import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import type { ModelChoice } from '#shared/contract/sharing/visibility.js'
import {
  editModels,
  keptSelection,
  NO_EDITS,
  requestOf,
  selectionsDiffer,
  tickedIds,
  withEdits,
} from '../../../../../../src-renderer/features/share/servers/selection.js'

const a: ModelChoice = { model: 'a', ticked: true, visibility: 'everyone' }
const b: ModelChoice = { model: 'b', ticked: false, visibility: 'trusted' }

const serverWith = (remembered: DetectedServer['remembered']): DetectedServer =>
  ({ models: [{ id: 'a' }, { id: 'b' }, { id: 'c' }], remembered }) as DetectedServer
const shareOf = (share: Pick<ShareView, 'models' | 'visibility' | 'choices'>): ShareView => share as ShareView
const NEW = serverWith(null)

test('a server that was never shared has every model ticked for this computer alone', () => {
  const selection = keptSelection(NEW, undefined)
  expect(tickedIds(selection)).toEqual(['a', 'b', 'c'])
  expect(new Set(selection.models.map(({ visibility }) => visibility))).toEqual(new Set(['me']))
  expect(selection.later).toBeNull()
})

test('what was chosen the last time is chosen again, un-ticked models included', () => {
  const remembered = { all: false, visibility: 'me' as const, aliases: [], models: [a, b] }
  const selection = keptSelection(serverWith(remembered), undefined)
  expect(selection.models).toEqual([a, b, { model: 'c', ticked: false, visibility: 'me' }])
})

test('a model that came later has the visibility that later models get', () => {
  const share = shareOf({ models: 'all', visibility: 'trusted', choices: [a, b] })
  const selection = keptSelection(NEW, share)
  expect(selection.models[2]).toEqual({ model: 'c', ticked: true, visibility: 'trusted' })
  expect(selection.later).toBe('trusted')
})

test('the request names one visibility for most models, and those that differ from it', () => {
  const kept = keptSelection(NEW, undefined)
  const everyone = withEdits(kept, editModels(NO_EDITS, ['a', 'b'], { visibility: 'everyone' }))
  expect(selectionsDiffer(kept, everyone)).toBe(true)
  expect(requestOf(everyone, kept)).toEqual({
    ...{ models: ['a', 'b', 'c'], except: [], visibility: 'everyone' },
    visibilities: [{ model: 'c', visibility: 'me' }],
  })
  const later = withEdits(kept, { ...editModels(NO_EDITS, ['b'], { ticked: false }), later: 'trusted' })
  expect(requestOf(later, kept)).toEqual({
    ...{ models: 'all', except: ['b'], visibility: 'trusted' },
    visibilities: [
      { model: 'a', visibility: 'me' },
      { model: 'c', visibility: 'me' },
    ],
  })
})

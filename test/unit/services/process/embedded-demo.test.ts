import { expect, test } from 'vitest'
import { shouldOfferDemo } from '../../../../src-main/services/process/embedded-demo.js'

const NOTHING = { realServiceEverShared: false, realServiceRegistered: false, realServerFoundLocally: false }
const EVERYTHING = { realServiceEverShared: true, realServiceRegistered: true, realServerFoundLocally: true }

test('the owner’s word counts first', () => {
  expect(shouldOfferDemo('on', EVERYTHING)).toBe(true)
  expect(shouldOfferDemo('off', NOTHING)).toBe(false)
})

test('by itself it is offered only to who has nothing real', () => {
  expect(shouldOfferDemo('auto', NOTHING)).toBe(true)
  for (const fact of Object.keys(NOTHING)) expect(shouldOfferDemo('auto', { ...NOTHING, [fact]: true })).toBe(false)
})

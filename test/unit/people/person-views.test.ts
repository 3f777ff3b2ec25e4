import { expect, test } from 'vitest'
import type { KeptPerson } from '../../../src-main/people/kept.js'
import { personViews } from '../../../src-main/people/person-views.js'

const person = (peerId: string, change: Partial<KeptPerson> = {}): KeptPerson => ({
  ...{ peerId, trustedBy: 'hand', trustedAtMs: 1, addresses: [] },
  ...change,
})
const FACTS = { isConnected: () => false, isInSettings: (peerId: string) => peerId.startsWith('set'), nowMs: 90_000 }

test('two people with one name are told apart by a part of their ids, and the name given here counts more', () => {
  const views = personViews(
    [
      person('peer-aaaaaa', { ownName: 'Ann' }),
      person('peer-bbbbbb', { ownName: 'ＡＮＮ' }),
      person('peer-cccccc', { ownName: 'Ann', givenName: 'Cousin Ann' }),
      person('peer-dddddd'),
    ],
    FACTS,
  )
  expect(new Map(views.map(({ peerId, label }) => [peerId, label]))).toEqual(
    new Map([
      ['peer-dddddd', '…dddddd'],
      ['peer-aaaaaa', 'Ann …aaaaaa'],
      ['peer-bbbbbb', 'ＡＮＮ …bbbbbb'],
      ['peer-cccccc', 'Cousin Ann'],
    ]),
  )
})

test('people whose names look alike are told apart by a part of their ids', () => {
  const views = personViews(
    [person('peer-aaaaaa', { ownName: 'Ann' }), person('peer-bbbbbb', { ownName: 'Аnn' })],
    FACTS,
  )
  expect(views.map(({ label }) => label).sort()).toEqual(['Ann …aaaaaa', 'Аnn …bbbbbb'])
})

test('who stands in the settings can not be removed in the app', () => {
  const views = personViews([person('set-aaaaaa', { trustedBy: 'settings', trustedAtMs: 0 })], FACTS)
  expect(views).toMatchObject([{ revocable: false, trustedAtMs: null, trustedBy: 'settings' }])
})

import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { canonicalUpdate, clientIdOf, extractEnvelopes } from '../../../../src-main/node-table/wire/canonical-update.js'
import type { CanonicalEntry } from '../../../../src-main/node-table/wire/canonical-update.js'
import { createOwners, TODAY } from '../../../fixtures/table-owners.js'
import type { Owner } from '../../../fixtures/table-owners.js'

const MAX = 1024 * 1024
let owners: Owner[]

beforeAll(async () => {
  owners = await createOwners(8)
})

function entry(owner: Owner, seq: number): CanonicalEntry {
  const { peerId } = owner
  return { peerId, epoch: TODAY, seq, clientId: clientIdOf(peerId, TODAY), bytes: owner.row({ seq }) }
}

function asText(envelopes: readonly Uint8Array[] | undefined): string[] | undefined {
  return envelopes?.map((bytes) => Buffer.from(bytes).toString('base64')).sort()
}

describe('a canonical update', () => {
  test('is read by stock Yjs as a map of peer id to envelope', () => {
    const entries = owners.map((owner, index) => entry(owner, index * 1000))
    const doc = new Y.Doc()
    Y.applyUpdate(doc, canonicalUpdate(entries))
    const map = doc.getMap<Uint8Array>('nodes')
    expect(map.size).toBe(entries.length)
    for (const { peerId, bytes } of entries) expect(map.get(peerId)).toEqual(bytes)
    expect(doc.store.pendingStructs).toBeNull()
  })

  test('is the same whatever the order of its entries', () => {
    const entries = owners.map((owner, index) => entry(owner, index))
    expect(canonicalUpdate(entries.toReversed())).toEqual(canonicalUpdate(entries))
  })

  test('gives its envelopes back', () => {
    const entries = owners.map((owner, index) => entry(owner, index))
    expect(asText(extractEnvelopes(canonicalUpdate(entries), MAX))).toEqual(asText(entries.map(({ bytes }) => bytes)))
  })

  test('gives its envelopes back after stock Yjs has stored and re-encoded it, whole or as a difference', () => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, canonicalUpdate(owners.map((owner) => entry(owner, 100))))
    const before = Y.encodeStateVector(doc)
    const newer = owners.slice(0, 3).map((owner) => entry(owner, 200))
    Y.applyUpdate(doc, canonicalUpdate(newer))
    const whole = extractEnvelopes(Y.encodeStateAsUpdate(doc), MAX)
    expect(asText(whole)).toEqual(
      asText([...newer, ...owners.slice(3).map((owner) => entry(owner, 100))].map(({ bytes }) => bytes)),
    )
    const difference = extractEnvelopes(Y.encodeStateAsUpdate(doc, before), MAX)
    expect(asText(difference)).toEqual(asText(newer.map(({ bytes }) => bytes)))
  })

  test('of a seq of 0 needs no run before it', () => {
    const doc = new Y.Doc()
    const [first] = owners
    Y.applyUpdate(doc, canonicalUpdate([entry(first!, 0)]))
    expect(doc.getMap('nodes').get(first!.peerId)).toBeInstanceOf(Uint8Array)
  })
})

describe('a foreign update', () => {
  const refused: [string, (doc: Y.Doc) => void][] = [
    ['a text', (doc) => doc.getText('nodes').insert(0, 'hello')],
    ['a JSON value', (doc) => doc.getMap('nodes').set('a', { b: 1 })],
    ['another root', (doc) => doc.getMap('other').set('a', new Uint8Array(3))],
    ['a nested map', (doc) => doc.getMap('nodes').set('a', new Y.Map([['b', new Uint8Array(3)]]))],
    ['a list item', (doc) => doc.getArray('nodes').insert(0, [new Uint8Array(3)])],
    ['a value above 4 KB', (doc) => doc.getMap('nodes').set('a', new Uint8Array(4097))],
  ]

  test.each(refused)('with %s is refused whole', (_, write) => {
    const doc = new Y.Doc()
    write(doc)
    expect(extractEnvelopes(Y.encodeStateAsUpdate(doc), MAX)).toBeUndefined()
  })

  test('that claims millions of structs costs nothing', () => {
    expect(extractEnvelopes(Uint8Array.from([0xff, 0xff, 0xff, 0x7f, 1, 1, 0]), MAX)).toBeUndefined()
    expect(extractEnvelopes(Uint8Array.from([1, 0xff, 0xff, 0xff, 0x7f, 1, 0]), MAX)).toBeUndefined()
  })

  test('above the size limit is not looked at', () => {
    expect(extractEnvelopes(new Uint8Array(11), 10)).toBeUndefined()
  })

  test('never makes the parser throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        extractEnvelopes(bytes, MAX)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a client id', () => {
  test('is a safe integer that depends on peer and epoch alone', () => {
    const ids = owners.flatMap(({ peerId }) => [clientIdOf(peerId, TODAY), clientIdOf(peerId, TODAY + 1)])
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.every((id) => Number.isSafeInteger(id) && id >= 0)).toBe(true)
    expect(clientIdOf('12D3KooWExample', 20_000)).toBe(clientIdOf('12D3KooWExample', 20_000))
  })
})

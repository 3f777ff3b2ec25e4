import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeMessage, type Want } from '../../../src-main/go-network/codecs/bitswap-message.js'
import { type Block, decodeBlock, encodeBlock } from '../../../src-main/go-network/codecs/block.js'
import { decodeBroadcast, encodeBroadcast } from '../../../src-main/go-network/codecs/broadcast.js'
import { cidBytes, cidOf, cidText, readCid } from '../../../src-main/go-network/codecs/cid.js'
import { encodeRecord, saysLeft } from '../../../src-main/go-network/codecs/record.js'
import { BROADCAST, FIRST_BLOCK, OURS_BLOCK, SECOND_BLOCK } from '../../fixtures/go-network/vectors.js'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const SEEN = 'ee4bf9e77cc96e59c7721eda702fdb58409e08ae9c77aefc35c97f1e7795bf25'
const CID = `01701220${SEEN}`

describe('blocks of the Go network', () => {
  it.each([
    ['the first', FIRST_BLOCK, 1, 0],
    ['the second', SECOND_BLOCK, 2, 1],
    ['one of ours', OURS_BLOCK, 8, 1],
  ])('are read and written byte for byte: %s', (_name, { bytes, cid }, priority, links) => {
    const block = decodeBlock(bytes)
    expect(block).toMatchObject({ priority, tombstones: [] })
    expect(block?.links).toHaveLength(links)
    expect(hexOf(encodeBlock(block as Block))).toBe(hexOf(bytes))
    expect(cidText(cidOf(bytes))).toBe(cid)
  })

  it('name the blocks they follow', () => {
    expect(decodeBlock(SECOND_BLOCK.bytes)?.links.map(cidText)).toEqual([FIRST_BLOCK.cid])
  })

  it('hold this node’s record exactly as two Go nodes took it', () => {
    const peerId = '12D3KooWLUFomEp9SAvc7eSbv59UCS39axFh1uCqPw9tgBGuGihf'
    const value = encodeRecord({ peerId, models: ['our-model', 'echo'], lastSeen: 1_795_831_392, hasLeft: false })
    const bytes = encodeBlock({
      links: [CID],
      elements: [{ key: `/${peerId}`, id: '', value }],
      tombstones: [],
      priority: 8,
    })
    expect(hexOf(bytes)).toBe(hexOf(OURS_BLOCK.bytes))
  })

  it('link in the order of their bytes, whatever order they are given in', () => {
    const links = [cidOf(bytesOf('02')), cidOf(bytesOf('01')), cidOf(bytesOf('03'))]
    const of = (given: string[]): string =>
      hexOf(encodeBlock({ links: given, elements: [], tombstones: [], priority: 1 }))
    expect(of(links)).toBe(of(links.toReversed()))
    expect(decodeBlock(bytesOf(of(links)))?.links).toEqual(links.toSorted())
  })

  it('come back as they were', () => {
    const element = fc.record({ key: fc.string(), id: fc.string(), value: fc.uint8Array({ maxLength: 200 }) })
    const block = fc.record({
      links: fc.uniqueArray(fc.uint8Array({ minLength: 32, maxLength: 32 }).map((hash) => `01701220${hexOf(hash)}`)),
      elements: fc.array(element, { maxLength: 4 }),
      tombstones: fc.array(element, { maxLength: 4 }),
      priority: fc.maxSafeNat(),
    })
    fc.assert(
      fc.property(block, (given) => {
        const back = decodeBlock(encodeBlock(given))
        expect(back).toEqual({ ...given, links: given.links.toSorted() })
        expect(hexOf(encodeBlock(back as Block))).toBe(hexOf(encodeBlock(given)))
      }),
    )
  })

  it('of a height that no number holds are none', () => {
    expect(decodeBlock(bytesOf('0a0a 18 ffffffffffffffff7f'))).toBeUndefined()
    expect(decodeBlock(bytesOf('0a09 18 ffffffffffffff0f'))?.priority).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('that link to another kind of block are none', () => {
    expect(decodeBlock(bytesOf('1206 0a04 00112233 0a00'))).toBeUndefined()
  })
})

describe('broadcasts of heads', () => {
  it('are those of the Go program, byte for byte', () => {
    expect(decodeBroadcast(BROADCAST)).toEqual([CID])
    expect(hexOf(encodeBroadcast([CID]))).toBe(hexOf(BROADCAST))
  })
})

describe('bitswap', () => {
  const want = (given: Partial<Want> = {}): Want => ({
    ...{ cid: CID, type: 'block', cancel: false, sendDontHave: false },
    ...given,
  })

  it.each([
    ['whether one has a block', '0a30 0a2e 0a24', '10ffffffff07 2001', want({ type: 'have' })],
    [
      'for the block, or to hear that there is none',
      '0a30 0a2e 0a24',
      '10feffffff07 2801',
      want({ sendDontHave: true }),
    ],
    ['for it no longer', '0a2a 0a28 0a24', '1801', want({ cancel: true })],
  ])('is asked by the Go program %s', (_what, head, tail, expected) => {
    expect(decodeMessage(bytesOf(`${head}${CID}${tail}`))).toEqual({ wants: [expected], blocks: [], presences: [] })
  })

  it('tells the Go program that it has a block, as was seen to be understood', () => {
    expect(hexOf(encodeMessage({ presences: [{ cid: CID, has: true }] }))).toBe(`0a0022260a24${CID}`)
  })

  it('gives a block as the Go program does', () => {
    const block = SECOND_BLOCK.bytes.subarray(0, 696)
    const bytes = encodeMessage({ blocks: [block] })
    expect(hexOf(bytes.subarray(0, 14))).toBe('0a001ac1050a040170122012b805')
    expect(decodeMessage(bytes)?.blocks.map(hexOf)).toEqual([hexOf(block)])
  })

  it('comes back as it was', () => {
    const cid = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((hash) => `01701220${hexOf(hash)}`)
    const message = fc.record({
      wants: fc.array(
        fc.record({
          cid,
          type: fc.constantFrom('block' as const, 'have' as const),
          cancel: fc.boolean(),
          sendDontHave: fc.boolean(),
        }),
      ),
      blocks: fc.array(fc.uint8Array({ maxLength: 300 })),
      presences: fc.array(fc.record({ cid, has: fc.boolean() })),
    })
    fc.assert(
      fc.property(message, (given) => {
        expect(decodeMessage(encodeMessage(given))).toEqual(given)
      }),
    )
  })
})

describe('whatever strangers send', () => {
  it('throws nothing', () => {
    const seeds = [FIRST_BLOCK.bytes, OURS_BLOCK.bytes, BROADCAST, bytesOf(`0a300a2e0a24${CID}10ffffffff072001`)]
    const cut = fc
      .tuple(fc.constantFrom(...seeds), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
      .map(([bytes, at, byte, length]) => {
        const changed = bytes.slice(0, 1 + (length % bytes.byteLength))
        changed[at % changed.byteLength] = byte
        return changed
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), cut), (bytes) => {
        decodeBlock(bytes)
        decodeBroadcast(bytes)
        decodeMessage(bytes)
        readCid(bytes)
        saysLeft(bytes)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is held to a bound on what one message may list', () => {
    const many = encodeMessage({ presences: Array.from({ length: 5_000 }, () => ({ cid: CID, has: true })) })
    expect(decodeMessage(many)).toBeUndefined()
    expect(decodeBroadcast(encodeBroadcast(Array.from({ length: 5_000 }, () => CID)))).toBeUndefined()
  })
})

describe('records', () => {
  it('say that a node has left, and nothing of what it offered', () => {
    const left = encodeRecord({ peerId: 'me', models: ['m'], lastSeen: 1, hasLeft: true })
    expect(saysLeft(left)).toBe(true)
    expect(JSON.parse(new TextDecoder().decode(left))).toMatchObject({
      status: 'left',
      connected: false,
      service: null,
    })
    expect(saysLeft(encodeRecord({ peerId: 'me', models: ['m'], lastSeen: 1, hasLeft: false }))).toBe(false)
  })

  it('never name a role that makes others send their requests through this node', () => {
    const record = encodeRecord({ peerId: 'me', models: ['m'], lastSeen: 1, hasLeft: false })
    expect(JSON.parse(new TextDecoder().decode(record))).toMatchObject({ role: ['worker'], public_address: '' })
  })

  it('have CIDs of 36 bytes', () => {
    expect(cidBytes(CID)).toHaveLength(36)
    expect(readCid(cidBytes(CID))).toBe(CID)
  })
})

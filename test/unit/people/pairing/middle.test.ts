import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { agreeAsAsked, agreeAsAsker, type Line } from '../../../../src-main/people/pairing/conversation.js'
import {
  codeOf,
  commitmentOf,
  decode,
  encode,
  type Message,
  newNonce,
} from '../../../../src-main/people/pairing/message.js'
import { linePipe } from './line-pipe.js'

const ANN = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const BOB = '12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba'
/** Sits between both, with a key of its own to each. */
const EVE = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'
const [ANN_TO_EVE, EVE_TO_BOB] = [
  { asker: ANN, asked: EVE },
  { asker: EVE, asked: BOB },
]

async function hear<K extends Message['kind']>(line: Line, kind: K): Promise<Extract<Message, { kind: K }>> {
  const message = decode(await line.next())
  if (message?.kind !== kind) throw new Error(`${message?.kind ?? 'nothing'} and not ${kind}`)
  return message as Extract<Message, { kind: K }>
}

/** What Eve does between two honest sides. */
type Plan = (toAnn: Line, toBob: Line) => Promise<void>

/** The codes on both screens when Eve follows a plan; undefined on the screen where it ended before. */
async function attack(plan: Plan): Promise<[string | undefined, string | undefined]> {
  const [ann, toAnn] = linePipe()
  const [bob, toBob] = linePipe()
  const annSees = agreeAsAsker(ann, ANN_TO_EVE).catch(() => undefined)
  const bobSees = bob
    .next()
    .then((first) => {
      const message = decode(first)
      if (message?.kind !== 'commit') throw new Error('no promise')
      return agreeAsAsked(bob, EVE_TO_BOB, message.commitment)
    })
    .catch(() => undefined)
  await plan(toAnn, toBob)
  return await Promise.all([annSees, bobSees])
}

/** First she has Bob's nonce and knows the code on his screen; then she owes Ann a nonce, before Ann shows hers. */
const bobFirst: Plan = async (toAnn, toBob) => {
  const toShow = newNonce()
  toBob.send(encode({ kind: 'commit', commitment: commitmentOf(EVE_TO_BOB, toShow) }))
  const { nonce: bobs } = await hear(toBob, 'nonce')
  toBob.send(encode({ kind: 'reveal', nonce: toShow }))
  const wanted = codeOf(EVE_TO_BOB, { asker: toShow, asked: bobs })
  await hear(toAnn, 'commit')
  // The best she can do: a nonce that would give Bob's code if Ann's were like one she made up.
  const guessed = newNonce()
  let chosen = newNonce()
  for (let round = 0; round < 8; round += 1) {
    if (codeOf(ANN_TO_EVE, { asker: guessed, asked: chosen }) === wanted) break
    chosen = newNonce()
  }
  toAnn.send(encode({ kind: 'nonce', nonce: chosen }))
  await hear(toAnn, 'reveal')
}

/** First she has Ann's nonce and knows the code on her screen; then she owes Bob a promise, before he shows his. */
const annFirst: Plan = async (toAnn, toBob) => {
  await hear(toAnn, 'commit')
  toAnn.send(encode({ kind: 'nonce', nonce: newNonce() }))
  await hear(toAnn, 'reveal')
  const toShow = newNonce()
  toBob.send(encode({ kind: 'commit', commitment: commitmentOf(EVE_TO_BOB, toShow) }))
  await hear(toBob, 'nonce')
  toBob.send(encode({ kind: 'reveal', nonce: toShow }))
}

/** She passes on every frame as it is. */
const passOn: Plan = async (toAnn, toBob) => {
  toBob.send(await toAnn.next())
  toAnn.send(await toBob.next())
  toBob.send(await toAnn.next())
}

/** She shows Bob another nonce than the one she promised: the one that makes the code on Ann's screen, as far as she finds it. */
const breaksPromise: Plan = async (toAnn, toBob) => {
  toBob.send(encode({ kind: 'commit', commitment: commitmentOf(EVE_TO_BOB, newNonce()) }))
  const { nonce: bobs } = await hear(toBob, 'nonce')
  await hear(toAnn, 'commit')
  const own = newNonce()
  toAnn.send(encode({ kind: 'nonce', nonce: own }))
  const { nonce: anns } = await hear(toAnn, 'reveal')
  const wanted = codeOf(ANN_TO_EVE, { asker: anns, asked: own })
  const fits = Array.from({ length: 4 }, newNonce).find(
    (nonce) => codeOf(EVE_TO_BOB, { asker: nonce, asked: bobs }) === wanted,
  )
  toBob.send(encode({ kind: 'reveal', nonce: fits ?? newNonce() }))
}

/** She answers Ann with Ann's own promise and nonce. */
const mirrors: Plan = async (toAnn, toBob) => {
  const { commitment } = await hear(toAnn, 'commit')
  toBob.send(encode({ kind: 'commit', commitment }))
  const { nonce: bobs } = await hear(toBob, 'nonce')
  toAnn.send(encode({ kind: 'nonce', nonce: commitment }))
  const { nonce: anns } = await hear(toAnn, 'reveal')
  toBob.send(encode({ kind: 'reveal', nonce: Buffer.compare(anns, bobs) > 0 ? anns : bobs }))
}

test('a node in the middle makes both screens show the same code in at most one of 10,000 pairings', async () => {
  const plans = [bobFirst, annFirst, passOn, breaksPromise, mirrors]
  let passed = 0
  let shownOnBoth = 0
  for (let round = 0; round < 10_000; round += 1) {
    const [annSees, bobSees] = await attack(plans[round % plans.length]!)
    if (annSees !== undefined && bobSees !== undefined) shownOnBoth += 1
    if (annSees !== undefined && annSees === bobSees) passed += 1
  }
  expect(passed).toBeLessThanOrEqual(1)
  // Those that keep their promise get as far as two codes; the other three plans never get a code onto Bob's screen.
  expect(shownOnBoth).toBe(4_000)
})

test(
  'without the promise a node in the middle finds a nonce that shows the same code on both screens',
  { timeout: 120_000 },
  () => {
    // Bob's code is known, and Ann shows her nonce first: Eve looks for one of her own that makes the same code.
    const wanted = codeOf(EVE_TO_BOB, { asker: newNonce(), asked: newNonce() })
    const anns = newNonce()
    const fitting = search(anns, wanted.replace(' ', ''))
    expect(codeOf(ANN_TO_EVE, { asker: anns, asked: fitting })).toBe(wanted)
  },
)

/** Tries nonces one after the other until one makes that code: a million on average, so in one buffer. */
function search(anns: Uint8Array, wanted: string): Uint8Array {
  const parts = [ANN, EVE, anns, newNonce()].flatMap((part) => {
    const bytes = Buffer.from(part)
    return [Buffer.from([bytes.length]), bytes]
  })
  const bytes = Buffer.concat([Buffer.from('ocf-pair code v1\0'), ...parts])
  const own = bytes.subarray(-32)
  for (let count = 0; ; count += 1) {
    own.writeUInt32BE(count)
    const digest = hash('sha256', bytes, 'buffer')
    // Half of them are out by their last bit alone.
    if (digest.readUInt8(7) % 2 !== Number(wanted.at(-1)) % 2) continue
    if (digest.readBigUInt64BE() % 1_000_000n === BigInt(wanted)) return Uint8Array.from(own)
  }
}

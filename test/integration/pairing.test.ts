import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test } from 'vitest'
import type { Pairing } from '#shared/contract/people/pairing.js'
import { Frames } from '../../src-main/people/frames.js'
import {
  codeOf,
  commitmentOf,
  decode,
  encode,
  MAX_FRAME_BYTES,
  type Message,
  newNonce,
  PAIR_PROTOCOL,
} from '../../src-main/people/pairing/message.js'
import { addressesOver, createHosts, until } from '../fixtures/hosts.js'
import { type PeopleNode, startPeopleNode } from '../fixtures/people-node.js'

const hosts = createHosts()
afterEach(() => hosts.close())

type Options = Parameters<typeof startPeopleNode>[1]
const start = (options: Options = {}): Promise<PeopleNode> => startPeopleNode(hosts, options)

async function connect(one: PeopleNode, other: PeopleNode): Promise<void> {
  await one.host.libp2p.dial(addressesOver(other.host, 'tcp').map((address) => multiaddr(address)))
  await until('both see each other', () => other.host.isConnected(one.host.peerId))
}

async function neighbours(ofAnn: Options = {}, ofBob: Options = {}): Promise<[PeopleNode, PeopleNode]> {
  const ann = await start({ name: 'Ann', ...ofAnn })
  const bob = await start({ name: 'Bob', ...ofBob })
  await connect(ann, bob)
  return [ann, bob]
}

const idOf = ({ host }: PeopleNode): string => host.peerId
const pairingAt = (node: PeopleNode, other: PeopleNode): Pairing | undefined =>
  node.people.pairing.list().find(({ peerId }) => peerId === idOf(other))
const trusts = (one: PeopleNode, other: PeopleNode): boolean => one.people.isTrusted(idOf(other))

/** Waits for the code on that screen. */
async function codeAt(node: PeopleNode, other: PeopleNode): Promise<string> {
  await until('there is a code', () => pairingAt(node, other)?.code)
  return pairingAt(node, other)?.code ?? ''
}

/** One asks the other; both codes, once they are on both screens. */
async function ask(one: PeopleNode, other: PeopleNode): Promise<[string, string]> {
  one.people.pairing.pair(idOf(other))
  return [await codeAt(one, other), await codeAt(other, one)]
}

const confirm = async (node: PeopleNode, other: PeopleNode): Promise<unknown> =>
  node.people.pairing.confirm(idOf(other), await codeAt(node, other))

const endingAt = async (node: PeopleNode, other: PeopleNode): Promise<Pairing> => {
  await until('it is over', () => pairingAt(node, other)?.state === 'over')
  return pairingAt(node, other)!
}

/** Talks the protocol by hand. */
async function speak(from: PeopleNode, to: PeopleNode): Promise<{ frames: Frames; stream: Stream }> {
  const [connection] = from.host.connectionsTo(idOf(to))
  const stream = await connection!.newStream(PAIR_PROTOCOL)
  return { frames: new Frames(stream, MAX_FRAME_BYTES), stream }
}

async function hear<K extends Message['kind']>(frames: Frames, kind: K): Promise<Extract<Message, { kind: K }>> {
  const message = decode(await frames.next())
  if (message?.kind !== kind) throw new Error(`${JSON.stringify(message)} and not ${kind}`)
  return message as Extract<Message, { kind: K }>
}

describe('two nodes of one local network', () => {
  test('two neighbours see each other, show one code, and trust each other by name once both persons confirmed it', async () => {
    const [ann, bob] = await neighbours()
    expect(ann.people.pairing.nearby()).toMatchObject([
      { peerId: idOf(bob), name: null, address: '127.0.0.1', connected: true, trusted: false },
    ])
    const [annSees, bobSees] = await ask(ann, bob)
    expect(annSees).toMatch(/^\d{3} \d{3}$/)
    expect(annSees).toBe(bobSees)
    // No name before there is trust.
    expect(pairingAt(bob, ann)).toMatchObject({ direction: 'incoming', state: 'compare', name: null })
    await confirm(bob, ann)
    await until('Ann sees that Bob has confirmed', () => pairingAt(ann, bob)?.theyConfirmed)
    expect([trusts(ann, bob), trusts(bob, ann)]).toEqual([false, false])
    await confirm(ann, bob)
    expect(await endingAt(ann, bob)).toMatchObject({
      ...{ ending: 'trusted', code: null, name: 'Bob', sentence: 'You and Bob trust each other now.' },
    })
    expect((await endingAt(bob, ann)).ending).toBe('trusted')
    expect(ann.people.list()).toMatchObject([{ label: 'Bob', trustedBy: 'code', connected: true }])
    expect(bob.people.list()).toMatchObject([{ label: 'Ann', trustedBy: 'code', connected: true }])
    expect(ann.people.pairing.nearby()).toMatchObject([{ name: 'Bob', trusted: true }])
  })

  test('two neighbours that paired still trust each other after a restart of both', async () => {
    const [ann, bob] = await neighbours()
    await ask(ann, bob)
    await Promise.all([confirm(ann, bob), confirm(bob, ann)])
    await Promise.all([endingAt(ann, bob), endingAt(bob, ann)])
    await Promise.all([ann.stop(), bob.stop()])
    const [again, bobAgain] = [await start({ dir: ann.dir }), await start({ dir: bob.dir })]
    expect([trusts(again, bobAgain), trusts(bobAgain, again)]).toEqual([true, true])
    expect(again.people.list()).toMatchObject([{ label: 'Bob', trustedBy: 'code' }])
  })

  test('two neighbours compare one code where both persons ask at the same moment', async () => {
    const [ann, bob] = await neighbours()
    ann.people.pairing.pair(idOf(bob))
    bob.people.pairing.pair(idOf(ann))
    await until('both show one code', () => {
      const [annSees, bobSees] = [pairingAt(ann, bob)?.code, pairingAt(bob, ann)?.code]
      return annSees !== undefined && annSees !== null && annSees === bobSees
    })
    await Promise.all([confirm(ann, bob), confirm(bob, ann)])
    await Promise.all([endingAt(ann, bob), endingAt(bob, ann)])
    expect([trusts(ann, bob), trusts(bob, ann)]).toEqual([true, true])
  })

  test('a pairing ends on both screens and changes nothing where one person refuses, or says that the codes differ', async () => {
    const [ann, bob] = await neighbours()
    await ask(ann, bob)
    await confirm(ann, bob)
    expect(await bob.people.pairing.refuse(idOf(ann), { differ: false })).toMatchObject({ ending: 'refused' })
    expect((await endingAt(ann, bob)).ending).toBe('they-refused')
    await ask(bob, ann)
    await confirm(ann, bob)
    expect((await bob.people.pairing.refuse(idOf(ann), { differ: true })).sentence).toContain('in between')
    expect((await endingAt(ann, bob)).sentence).toContain('in between')
    expect([...ann.people.list(), ...bob.people.list()]).toEqual([])
  })

  test('a pairing ends and changes nothing where no one answers in time', async () => {
    const [ann, bob] = await neighbours({}, { pairWithinMs: 150 })
    await ask(ann, bob)
    await confirm(ann, bob)
    expect((await endingAt(ann, bob)).ending).toBe('expired')
    expect((await endingAt(bob, ann)).ending).toBe('expired')
    expect([...ann.people.list(), ...bob.people.list()]).toEqual([])
  })

  test('a pairing takes no confirmation of another code than the one that is shown, nor without one', async () => {
    const [ann, bob] = await neighbours()
    const { pairing } = ann.people
    expect(() => pairing.confirm(idOf(bob), '123 456')).toThrow(expect.objectContaining({ code: 'not_found' }))
    const [code] = await ask(ann, bob)
    const other = code.replace(/^./, (digit) => String((Number(digit) + 1) % 10))
    expect(() => pairing.confirm(idOf(bob), other)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    expect(pairingAt(ann, bob)?.state).toBe('compare')
    expect(pairing.confirm(idOf(bob), code.replace(' ', '')).state).toBe('waiting')
  })

  test('a node can’t pair with one that is not in sight, nor with itself', async () => {
    const [ann, bob] = [await start(), await start()]
    for (const peerId of [idOf(bob), idOf(ann)]) {
      expect(() => ann.people.pairing.pair(peerId)).toThrow(expect.objectContaining({ code: 'not_found' }))
    }
  })

  test('a neighbour that can’t write the other down is not trusted one-sidedly', async () => {
    const [ann, bob] = await neighbours()
    await ask(ann, bob)
    await mkdir(join(bob.dir, 'trust.json'))
    await Promise.all([confirm(ann, bob), confirm(bob, ann)])
    const [annEnds, bobEnds] = [await endingAt(ann, bob), await endingAt(bob, ann)]
    expect([annEnds.ending, bobEnds.ending]).toEqual(['not-stored', 'not-stored'])
    expect([trusts(ann, bob), trusts(bob, ann)]).toEqual([false, false])
  })

  test('a pairing changes nothing where the connection is lost while the codes are compared', async () => {
    const [ann, bob] = await neighbours()
    await ask(ann, bob)
    await confirm(bob, ann)
    for (const connection of ann.host.connectionsTo(idOf(bob))) connection.abort(new Error('cable'))
    expect((await endingAt(ann, bob)).ending).toBe('broken-off')
    expect((await endingAt(bob, ann)).ending).toBe('broken-off')
    expect([...ann.people.list(), ...bob.people.list()]).toEqual([])
  })
})

describe('a node that does not want to be asked', () => {
  test('a node with people.nearby off says so to who asks, and can still ask itself', async () => {
    const [ann, bob] = await neighbours({}, { flags: { 'people.nearby': 'false' } })
    ann.people.pairing.pair(idOf(bob))
    expect((await endingAt(ann, bob)).ending).toBe('off')
    expect(bob.people.pairing.list()).toEqual([])
    const [bobSees, annSees] = await ask(bob, ann)
    expect(bobSees).toBe(annSees)
  })

  test('a node that is asked from another network than its own says so, and its person is not asked', async () => {
    const [ann, bob] = await neighbours()
    const lan = { ...bob.host.lan!, isNear: () => false }
    Object.defineProperty(bob.host, 'lan', { value: lan })
    ann.people.pairing.pair(idOf(bob))
    expect((await endingAt(ann, bob)).ending).toBe('far')
    expect(bob.people.pairing.list()).toEqual([])
  })

  test('a neighbour of an older version is said to need an update', async () => {
    const [ann, bob] = await neighbours()
    await bob.host.libp2p.unhandle(PAIR_PROTOCOL)
    ann.people.pairing.pair(idOf(bob))
    expect((await endingAt(ann, bob)).ending).toBe('unsupported')
  })
})

test('a node in the middle that relays the pairing gets two codes onto the screens that differ, and is not trusted', async () => {
  const [ann, bob, eve] = [await start({ name: 'Ann' }), await start({ name: 'Bob' }), await start({ name: 'Bob' })]
  await connect(ann, eve)
  await connect(eve, bob)
  const [annToEve, eveToBob] = [
    { asker: idOf(ann), asked: idOf(eve) },
    { asker: idOf(eve), asked: idOf(bob) },
  ]
  await eve.host.libp2p.unhandle(PAIR_PROTOCOL)
  await eve.host.libp2p.handle(PAIR_PROTOCOL, async (stream: Stream) => {
    const toAnn = new Frames(stream, MAX_FRAME_BYTES)
    const { frames: toBob } = await speak(eve, bob)
    // With a key and an honest conversation of her own to each side: that is all the protocol lets her do.
    await hear(toAnn, 'commit')
    const own = newNonce()
    toBob.send(encode({ kind: 'commit', commitment: commitmentOf(eveToBob, own) }))
    const { nonce: bobs } = await hear(toBob, 'nonce')
    toAnn.send(encode({ kind: 'nonce', nonce: bobs }))
    const { nonce: anns } = await hear(toAnn, 'reveal')
    toBob.send(encode({ kind: 'reveal', nonce: own }))
    expect(codeOf(annToEve, { asker: anns, asked: bobs })).not.toBe(codeOf(eveToBob, { asker: own, asked: bobs }))
    toAnn.send(encode({ kind: 'confirm' }))
    toBob.send(encode({ kind: 'confirm' }))
  })
  ann.people.pairing.pair(idOf(eve))
  const [annSees, bobSees] = [await codeAt(ann, eve), await codeAt(bob, eve)]
  expect(annSees).not.toBe(bobSees)
  await until('she has confirmed to both', () =>
    [pairingAt(ann, eve), pairingAt(bob, eve)].every((pairing) => pairing?.theyConfirmed),
  )
  await ann.people.pairing.refuse(idOf(eve), { differ: true })
  await bob.people.pairing.refuse(idOf(eve), { differ: true })
  expect([...ann.people.list(), ...bob.people.list()]).toEqual([])
})

test('a node in the middle that passes the frames on as they are is found out before a code is shown', async () => {
  const [ann, bob, eve] = [await start(), await start(), await start()]
  await connect(ann, eve)
  await connect(eve, bob)
  await eve.host.libp2p.unhandle(PAIR_PROTOCOL)
  await eve.host.libp2p.handle(PAIR_PROTOCOL, async (stream: Stream) => {
    const toAnn = new Frames(stream, MAX_FRAME_BYTES)
    const { frames: toBob } = await speak(eve, bob)
    toBob.send(await toAnn.next())
    toAnn.send(await toBob.next())
    toBob.send(await toAnn.next())
    toAnn.send(await toBob.next())
  })
  ann.people.pairing.pair(idOf(eve))
  // Bob's node says so, and Eve passes that on, too.
  expect((await endingAt(ann, eve)).ending).toBe('mismatch')
  expect(bob.people.pairing.list().filter(({ code }) => code !== null)).toEqual([])
  expect([...ann.people.list(), ...bob.people.list()]).toEqual([])
})

describe('a hostile neighbour', () => {
  test('a neighbour that sends nothing, too much or something else is on no screen and its stream ends', async () => {
    const [eve, bob] = await neighbours()
    const commitment = Buffer.alloc(32, 7)
    const first = encode({ kind: 'commit', commitment })
    for (const bytes of [
      Buffer.alloc(300, 0xff),
      Buffer.from([2, 4, 1]),
      Buffer.from([5, 1, 2, 3, 4, 5]),
      Buffer.alloc(200_000),
      Buffer.concat([Buffer.from([first.length]), first, Buffer.alloc(5_000, 1)]),
    ]) {
      const { stream } = await speak(eve, bob)
      stream.send(bytes)
      await until('the stream has ended', () => stream.status !== 'open')
    }
    const silent = await speak(eve, bob)
    await until('the silent one was ended', () => silent.stream.status !== 'open')
    // It promises and then shows nothing.
    const slow = await speak(eve, bob)
    slow.frames.send(first)
    await hear(slow.frames, 'nonce')
    expect(bob.people.pairing.list()).toEqual([])
    await until('the slow one was ended', () => slow.stream.status !== 'open')
    expect(bob.people.pairing.list()).toEqual([])
    const [eveSees, bobSees] = await ask(eve, bob)
    expect(eveSees).toBe(bobSees)
  })

  test('a neighbour that keeps its end of the stream open after the answer loses it', async () => {
    const [eve, bob] = await neighbours({}, { flags: { 'people.nearby': 'false' } })
    const { frames, stream } = await speak(eve, bob)
    frames.send(encode({ kind: 'commit', commitment: Buffer.alloc(32, 7) }))
    expect(await hear(frames, 'no')).toEqual({ kind: 'no', reason: 'off' })
    await until('the stream has ended', () => stream.status !== 'open')
  })

  test('a neighbour that keeps the last word to itself does not hold up the end of a node', async () => {
    const [eve, bob] = await neighbours()
    const { frames } = await speak(eve, bob)
    const own = newNonce()
    frames.send(encode({ kind: 'commit', commitment: commitmentOf({ asker: idOf(eve), asked: idOf(bob) }, own) }))
    await hear(frames, 'nonce')
    frames.send(encode({ kind: 'reveal', nonce: own }))
    frames.send(encode({ kind: 'confirm' }))
    await confirm(bob, eve)
    await hear(frames, 'ready')
    const startedMs = performance.now()
    await bob.people.stop()
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    expect(trusts(bob, eve)).toBe(false)
  })

  test('a neighbour that floods with requests and peer ids has one on the screen at a time, and is quiet after two refusals', async () => {
    const bob = await start({ name: 'Bob' })
    const eves = await Promise.all(Array.from({ length: 4 }, () => start()))
    for (const eve of eves) await connect(eve, bob)
    const tryAll = async (): Promise<string[]> => {
      const answers = await Promise.all(
        eves.map(async (eve) => {
          const { frames, stream } = await speak(eve, bob)
          frames.send(encode({ kind: 'commit', commitment: commitmentOf({ asker: idOf(eve), asked: idOf(bob) }, own) }))
          const message = decode(await frames.next())
          if (message?.kind === 'nonce') frames.send(encode({ kind: 'reveal', nonce: own }))
          streams.push(stream)
          return message?.kind === 'no' ? message.reason : (message?.kind ?? '')
        }),
      )
      return answers.sort()
    }
    const own = newNonce()
    const streams: Stream[] = []
    const shown = (): Pairing[] => bob.people.pairing.list().filter(({ state }) => state === 'compare')
    for (let round = 0; round < 2; round += 1) {
      expect(await tryAll()).toEqual(['busy', 'busy', 'busy', 'nonce'])
      await until('one is on the screen', () => shown().length === 1)
      expect(await tryAll()).toEqual(['busy', 'busy', 'busy', 'busy'])
      await bob.people.pairing.refuse(shown()[0]!.peerId, { differ: false })
      for (const stream of streams.splice(0)) stream.abort(new Error('over'))
    }
    // All of them come from one address.
    expect(await tryAll()).toEqual(['busy', 'busy', 'busy', 'busy'])
    expect(shown()).toEqual([])
    // The person can still ask one of them.
    const [bobSees, eveSees] = await ask(bob, eves[0]!)
    expect(bobSees).toBe(eveSees)
  })
})

test('what was said in a pairing holds no name before both persons confirmed', async () => {
  const [eve, bob] = await neighbours({ name: 'Eve' }, { name: 'Bob' })
  const { frames } = await speak(eve, bob)
  const own = newNonce()
  const heard: Uint8Array[] = []
  const next = async (): Promise<Uint8Array> => {
    const frame = await frames.next()
    heard.push(frame)
    return frame
  }
  frames.send(encode({ kind: 'commit', commitment: commitmentOf({ asker: idOf(eve), asked: idOf(bob) }, own) }))
  await next()
  frames.send(encode({ kind: 'reveal', nonce: own }))
  frames.send(encode({ kind: 'confirm' }))
  await confirm(bob, eve)
  expect(decode(await next())?.kind).toBe('ready')
  expect(Buffer.concat(heard).includes('Bob')).toBe(false)
  expect(trusts(bob, eve)).toBe(false)
  frames.send(encode({ kind: 'stored', name: 'Eve' }))
  expect(decode(await next())).toEqual({ kind: 'stored', name: 'Bob' })
  expect(bob.people.list()).toMatchObject([{ label: 'Eve', trustedBy: 'code' }])
  await bob.people.stop()
  expect(await readFile(join(bob.dir, 'trust.json'), 'utf8')).toContain('"code"')
})

import { readFile, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import { Frames } from '../../src-main/people/frames.js'
import {
  answerOf,
  challengeOf,
  hashesOf,
  helloOf,
  INVITE_PROTOCOL,
  MAX_FRAME_BYTES,
  newNonce,
  proofOf,
} from '../../src-main/people/invites/message.js'
import { type Invite, readInvite, writeInvite } from '../../src-main/people/invites/text.js'
import { addressesOver, createHosts, until } from '../fixtures/hosts.js'
import { readBody, startModelServer } from '../fixtures/model-servers/index.js'
import { type NodeInProcess, startNodeInProcess } from '../fixtures/node-in-process.js'
import { chat, untilListed } from '../fixtures/node-pair.js'
import { type NodeProcess, runOcf, startNodeProcess } from '../fixtures/node-process.js'
import { type PeopleNode, startPeopleNode } from '../fixtures/people-node.js'

const hosts = createHosts()
afterEach(() => hosts.close())

const DAY_MS = 86_400_000
const ONE = { uses: 1, forMs: DAY_MS }

const start = (options: Parameters<typeof startPeopleNode>[1] = {}): Promise<PeopleNode> =>
  startPeopleNode(hosts, options)

const join1 = (guest: PeopleNode, text: string) => guest.people.join(text, { switchNetwork: false })

function inviteIn(text: string): Invite {
  const read = readInvite(text)
  if ('problem' in read) throw new Error(read.problem)
  return read.invite
}

const changed = (text: string, change: Partial<Invite>): string => writeInvite({ ...inviteIn(text), ...change })

const trusts = (one: PeopleNode, other: PeopleNode): boolean => one.people.isTrusted(other.host.peerId)

/** Talks the invite protocol by hand. */
async function speak(guest: PeopleNode, inviter: PeopleNode): Promise<{ frames: Frames; stream: Stream }> {
  const connection = await guest.host.libp2p.dial(inviter.host.multiaddrs().map((address) => multiaddr(address)))
  const stream = await connection.newStream(INVITE_PROTOCOL)
  return { frames: new Frames(stream, MAX_FRAME_BYTES), stream }
}

describe('an invite', () => {
  test('an invite is shown once more where the connection is lost half-way', async () => {
    const [inviter, guest] = [await start({ name: 'Ann' }), await start({ name: 'Bob' })]
    let losses = 0
    guest.people.subscribe(() => {
      if (guest.people.joining()?.stage !== 'proving' || losses === 2) return
      losses += 1
      for (const connection of guest.host.libp2p.getConnections()) connection.abort(new Error('lost'))
    })
    const { text } = await inviter.people.invite(ONE)
    expect(await join1(guest, text)).toMatchObject({ outcome: 'joined' })
    expect(losses).toBe(2)
    expect([trusts(inviter, guest), trusts(guest, inviter)]).toEqual([true, true])
  })

  test.each(['tcp', 'ws', 'quic'] as const)('has both trust each other, with names, over %s', async (transport) => {
    const inviter = await start({ name: 'Ann' })
    const guest = await start({ name: 'Bob' })
    const { text } = await inviter.people.invite(ONE)
    const addresses = addressesOver(inviter.host, transport).map((address) => address.replace(/\/p2p\/[^/]+$/, ''))
    expect(await join1(guest, changed(text, { addresses }))).toMatchObject({
      outcome: 'joined',
      peerId: inviter.host.peerId,
    })
    expect([trusts(inviter, guest), trusts(guest, inviter)]).toEqual([true, true])
    expect(inviter.people.list()).toMatchObject([{ label: 'Bob', trustedBy: 'invited', connected: true }])
    expect(guest.people.list()).toMatchObject([{ label: 'Ann', trustedBy: 'accepted', connected: true }])
    expect(inviter.people.invites()).toMatchObject([{ state: 'used', usedBy: [guest.host.peerId] }])
    const [connection] = guest.host.connections()
    expect(connection?.path).toBe(`direct-${transport}`)
  })

  test('makes a trust that outlasts a restart of both', async () => {
    const inviter = await start({ name: 'Ann' })
    const guest = await start()
    const { text } = await inviter.people.invite(ONE)
    await join1(guest, text)
    await inviter.stop()
    await guest.stop()
    const [again, guestAgain] = [await start({ dir: inviter.dir }), await start({ dir: guest.dir })]
    expect([trusts(again, guestAgain), trusts(guestAgain, again)]).toEqual([true, true])
    expect(guestAgain.people.list()).toMatchObject([{ label: 'Ann' }])
    expect(again.people.invites()).toMatchObject([{ state: 'used' }])
  })

  test('that was used, has expired, was revoked, was never made or leads to oneself says so and changes nothing', async () => {
    let nowMs = Date.now()
    const inviter = await start({ clock: { now: () => nowMs } })
    const [first, late] = [await start(), await start()]
    const used = await inviter.people.invite(ONE)
    expect((await join1(first, used.text)).outcome).toBe('joined')
    expect((await join1(late, used.text)).outcome).toBe('used')
    const revoked = await inviter.people.invite(ONE)
    await inviter.people.revokeInvite(revoked.invite.id)
    expect((await join1(late, revoked.text)).outcome).toBe('revoked')
    const { text } = await inviter.people.invite(ONE)
    expect((await join1(late, changed(text, { secret: Buffer.alloc(16, 7) }))).outcome).toBe('refused')
    expect((await join1(inviter, text)).outcome).toBe('own-invite')
    nowMs += 2 * DAY_MS
    expect((await join1(late, text)).outcome).toBe('expired')
    expect(inviter.people.list()).toHaveLength(1)
    expect(late.people.list()).toEqual([])
    expect((await join1(first, text)).outcome).toBe('already-trusted')
  })

  test('that was cut off or damaged on its way says so, and one that was pasted twice works', async () => {
    const [inviter, guest] = [await start(), await start()]
    const { text, link } = await inviter.people.invite(ONE)
    expect((await join1(guest, text.slice(0, -9))).outcome).toBe('cut-off')
    expect((await join1(guest, text.replace(/(.{40})../, '$1AA'))).outcome).toBe('damaged')
    expect((await join1(guest, 'no invite')).outcome).toBe('no-invite')
    expect(inviter.host.connections()).toEqual([])
    expect((await join1(guest, `${link}\n${link}`)).outcome).toBe('joined')
  })

  test('of somebody who is not there says so', async () => {
    const [inviter, guest] = [await start(), await start({ reachWithinMs: 1_000 })]
    const { text } = await inviter.people.invite(ONE)
    await inviter.stop()
    expect((await join1(guest, text)).outcome).toBe('unreachable')
    expect(guest.people.list()).toEqual([])
  })

  test('of somebody who is away for a moment works when they are back', async () => {
    const [inviter, guest] = [await start(), await start()]
    const { text } = await inviter.people.invite(ONE)
    const [address] = addressesOver(inviter.host, 'tcp')
    const tcpPort = Number(/tcp\/(\d+)/.exec(address!)![1])
    await inviter.stop()
    const dials = vi.spyOn(guest.host.libp2p, 'dial')
    const joining = join1(guest, text)
    await vi.waitFor(() => expect(dials.mock.settledResults.map(({ type }) => type)).toContain('rejected'), 10_000)
    const again = await start({ dir: inviter.dir, tcpPort })
    expect((await joining).outcome).toBe('joined')
    expect(trusts(again, guest)).toBe(true)
  })

  test('for several lets in as many', async () => {
    const inviter = await start()
    const { text } = await inviter.people.invite({ uses: 2, forMs: DAY_MS })
    const guests = [await start(), await start(), await start()]
    const outcomes = await Promise.all(guests.map(async (guest) => (await join1(guest, text)).outcome))
    expect(outcomes.sort()).toEqual(['joined', 'joined', 'used'])
    expect(inviter.people.list()).toHaveLength(2)
  })

  test('works again for the same guest where the last answer was lost', async () => {
    const [inviter, guest] = [await start(), await start()]
    const { text } = await inviter.people.invite(ONE)
    const { id, key } = hashesOf(inviteIn(text).secret)
    const { frames, stream } = await speak(guest, inviter)
    const guestNonce = newNonce()
    frames.send(helloOf(id, guestNonce))
    const inviterNonce = (await frames.next()).subarray(1)
    const exchange = { id: Buffer.from(id, 'hex'), guest: guest.host.peerId, inviter: inviter.host.peerId }
    frames.send(proofOf({ ...exchange, guestNonce, inviterNonce }, key, 'Bob'))
    await until('the inviter trusts the guest', () => trusts(inviter, guest))
    stream.abort(new Error('lost'))
    expect(trusts(guest, inviter)).toBe(false)
    expect((await join1(guest, text)).outcome).toBe('joined')
    expect([trusts(inviter, guest), trusts(guest, inviter)]).toEqual([true, true])
  })

  test('of another network is not tried, and carries the key into a private one', async () => {
    const dir = await hosts.folder()
    const file = join(dir, 'swarm.key')
    await writeFile(file, `/key/swarm/psk/1.0.0/\n/base16/\n${'ab'.repeat(32)}\n`)
    const inviter = await start({ swarmKeyFile: file })
    const [stranger, member] = [await start(), await start({ swarmKeyFile: file })]
    const { text } = await inviter.people.invite(ONE)
    expect((await join1(stranger, text)).outcome).toBe('other-network')
    expect(stranger.people.readInvite(text)).toMatchObject({ problem: 'other-network', canSwitch: true })
    expect((await stranger.people.join(text, { switchNetwork: true })).outcome).toBe('restart-needed')
    const settings = await readFile(join(stranger.dir, 'config.yaml'), 'utf8')
    const kept = /swarm-key: (\S+)/.exec(settings)?.[1] ?? ''
    expect(await readFile(kept, 'utf8')).toBe(await readFile(file, 'utf8'))
    await stranger.stop()
    const again = await start({ dir: stranger.dir, swarmKeyFile: kept })
    await until('the invite was accepted after the restart', () => trusts(again, inviter))
    expect(trusts(inviter, again)).toBe(true)
    expect((await join1(member, text)).outcome).toBe('used')
    const publicInvite = await (await start()).people.invite(ONE)
    expect((await join1(member, publicInvite.text)).outcome).toBe('other-network')
  })
})

describe('a hostile guest', () => {
  test('gets the same answer for an invite that there is and for one that there is not', async () => {
    const [inviter, guest] = [await start({ name: 'Ann' }), await start()]
    const { text } = await inviter.people.invite(ONE)
    const real = hashesOf(inviteIn(text).secret).id
    const answers: Buffer[] = []
    for (const id of [real, 'c'.repeat(32)]) {
      const { frames } = await speak(guest, inviter)
      frames.send(helloOf(id, newNonce()))
      const challenge = await frames.next()
      expect(challenge).toHaveLength(33)
      const exchange = { id: Buffer.from(id, 'hex'), guest: guest.host.peerId, inviter: inviter.host.peerId }
      const nonces = { guestNonce: newNonce(), inviterNonce: challenge.subarray(1) }
      frames.send(proofOf({ ...exchange, ...nonces }, 'd'.repeat(64), 'Eve'))
      answers.push(Buffer.from(await frames.next()))
    }
    const [wrong, unknown] = answers
    expect(wrong?.length).toBe(unknown?.length)
    // Kind and code; between them stand bytes of chance.
    expect([wrong?.[0], wrong?.at(-1)]).toEqual([unknown?.[0], unknown?.at(-1)])
    expect(wrong?.includes('Ann')).toBe(false)
    expect(inviter.people.list()).toEqual([])
  })

  test('gets five attempts a minute from one address, whatever its peer id', async () => {
    const inviter = await start()
    const { text } = await inviter.people.invite(ONE)
    const guesses: string[] = []
    for (let round = 0; round < 3; round += 1) {
      const guest = await start()
      for (let attempt = 0; attempt < 4; attempt += 1) {
        guesses.push(
          (await join1(guest, changed(text, { secret: Buffer.alloc(16, 50 + 4 * round + attempt) }))).outcome,
        )
      }
    }
    expect(guesses.filter((outcome) => outcome === 'refused')).toHaveLength(5)
    expect(guesses.filter((outcome) => outcome === 'busy')).toHaveLength(7)
    expect(inviter.people.list()).toEqual([])
    expect((await join1(await start({ listenHosts: ['127.0.0.1'] }), text)).outcome).toBe('busy')
  })

  test('spends nothing of the attempts with invites that are right', async () => {
    const inviter = await start()
    const { text } = await inviter.people.invite({ uses: 8, forMs: DAY_MS })
    for (let count = 0; count < 8; count += 1) expect((await join1(await start(), text)).outcome).toBe('joined')
  })

  test('that sends nothing, too much or something else is let go', async () => {
    const inviter = await start()
    for (const bytes of [Buffer.alloc(400, 0xff), Buffer.from([3, 1, 2, 3]), Buffer.alloc(100_000)]) {
      const { stream } = await speak(await start(), inviter)
      stream.send(bytes)
      await until('the stream has ended', () => stream.status !== 'open')
    }
    const silent = await speak(await start(), inviter)
    await until('the silent one was let go', () => silent.stream.status !== 'open')
    expect(inviter.people.list()).toEqual([])
  })
})

test('a hostile inviter that does not know the secret is not trusted', async () => {
  const [guest, liar] = [await start(), await start()]
  await liar.host.libp2p.unhandle(INVITE_PROTOCOL)
  await liar.host.libp2p.handle(INVITE_PROTOCOL, async (stream: Stream) => {
    const frames = new Frames(stream, MAX_FRAME_BYTES)
    const hello = await frames.next()
    const inviterNonce = newNonce()
    frames.send(challengeOf(inviterNonce))
    await frames.next()
    const exchange = {
      ...{ id: hello.subarray(1, 17), guestNonce: hello.subarray(17), inviterNonce },
      ...{ guest: guest.host.peerId, inviter: liar.host.peerId },
    }
    frames.send(answerOf('accepted', { exchange, key: 'e'.repeat(64), name: 'Ann' }))
  })
  const { text } = await liar.people.invite(ONE)
  expect((await join1(guest, text)).outcome).toBe('refused')
  expect(guest.people.list()).toEqual([])
})

test('a node in the middle that passes the exchange on to the inviter gets neither in', async () => {
  const [inviter, guest, middle] = [await start(), await start(), await start()]
  const { text } = await inviter.people.invite(ONE)
  const passed: string[] = []
  await middle.host.libp2p.unhandle(INVITE_PROTOCOL)
  await middle.host.libp2p.handle(INVITE_PROTOCOL, async (stream: Stream) => {
    const { stream: onwards } = await speak(middle, inviter)
    const pass = (from: Stream, to: Stream, way: string): void =>
      from.addEventListener('message', ({ data }: StreamMessageEvent) => {
        passed.push(way)
        to.send(data)
      })
    pass(stream, onwards, 'to the inviter')
    pass(onwards, stream, 'to the guest')
  })
  // The guest was given the middle's peer id and addresses with the secret of the inviter's invite.
  const swapped = changed(text, {
    inviter: middle.host.peerId,
    addresses: middle.host.multiaddrs().map((address) => address.replace(/\/p2p\/[^/]+$/, '')),
  })
  expect((await join1(guest, swapped)).outcome).toBe('refused')
  expect(passed).toContain('to the inviter')
  expect(passed.filter((way) => way === 'to the guest').length).toBeGreaterThanOrEqual(2)
  for (const node of [inviter, guest, middle]) expect(node.people.list()).toEqual([])
  expect((await join1(guest, text)).outcome).toBe('joined')
})

test('the secret is in no byte that goes over the wire, nor in what the inviter keeps or reads', async () => {
  const [inviter, guest] = [await start(), await start()]
  const { text } = await inviter.people.invite(ONE)
  const { secret } = inviteIn(text)
  const seen: Buffer[] = []
  const tcp = addressesOver(inviter.host, 'tcp')[0] ?? ''
  const target = Number(/\/tcp\/(\d+)/.exec(tcp)?.[1])
  const sockets = new Set<Socket>()
  const proxy = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => undefined)
      from.on('data', (data) => {
        seen.push(data)
        to.write(data)
      })
      from.on('close', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  hosts.defer(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  // What is inside the encryption, at both ends.
  for (const node of [inviter, guest]) recordStreams(node, seen)
  const { port } = proxy.address() as { port: number }
  const outcome = await join1(guest, changed(text, { addresses: [`/ip4/127.0.0.1/tcp/${port}`] }))
  expect(outcome.outcome).toBe('joined')
  const all = Buffer.concat(seen)
  expect(all.length).toBeGreaterThan(1_000)
  expect(all.includes(Buffer.from(hashesOf(secret).id, 'hex'))).toBe(true)
  const forms = [
    Buffer.from(secret),
    ...(['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(Buffer.from(secret).toString(form))),
  ]
  for (const form of forms) expect(all.includes(form)).toBe(false)
  await inviter.people.stop()
  const kept = await readFile(join(inviter.dir, 'trust.json'), 'utf8')
  for (const form of ['hex', 'base64', 'base64url'] as const)
    expect(kept).not.toContain(Buffer.from(secret).toString(form))
})

/** Copies what every stream of the invite protocol brings or takes. */
function recordStreams({ host }: PeopleNode, seen: Buffer[]): void {
  const record = (stream: Stream): void => {
    stream.addEventListener('message', ({ data }: StreamMessageEvent) => void seen.push(Buffer.from(data.subarray())))
    const send = stream.send.bind(stream)
    stream.send = (data) => {
      seen.push(Buffer.from(data instanceof Uint8Array ? data : data.subarray()))
      return send(data)
    }
  }
  host.libp2p.addEventListener('connection:open', ({ detail }: CustomEvent<Connection>) => {
    const newStream = detail.newStream.bind(detail)
    detail.newStream = async (...args) => {
      const stream = await newStream(...args)
      record(stream)
      return stream
    }
  })
}

describe('trusted peers', () => {
  test('find each other again through a common peer after both have other addresses', async () => {
    const common = await start()
    const [one, other] = [await start({ name: 'Ann' }), await start({ name: 'Bob' })]
    const { text } = await one.people.invite(ONE)
    await join1(other, text)
    await one.stop()
    await other.stop()
    const dialCommon = async (node: PeopleNode): Promise<void> => {
      await node.host.libp2p.dial(common.host.multiaddrs().map((address) => multiaddr(address)))
    }
    const oneAgain = await start({ dir: one.dir })
    const otherAgain = await start({ dir: other.dir })
    // Neither knows where the other is now.
    for (const [node, former] of [
      [oneAgain, other],
      [otherAgain, one],
    ] as const) {
      const kept = await readFile(join(former.dir, 'trust.json'), 'utf8')
      expect(kept).toContain('/tcp/')
      for (const address of node.host.multiaddrs()) expect(kept).not.toContain(address.replace(/\/p2p\/[^/]+$/, ''))
    }
    expect(oneAgain.host.isConnected(otherAgain.host.peerId)).toBe(false)
    await dialCommon(oneAgain)
    await dialCommon(otherAgain)
    await until('both are connected again', () => oneAgain.host.isConnected(otherAgain.host.peerId), 60_000)
    await until('the list says so', () => oneAgain.people.list()[0]?.connected)
    expect(oneAgain.people.list()).toMatchObject([{ label: 'Bob' }])
  })

  test('are dialled again at their last address by a node that has met nobody', async () => {
    const [one, other] = [await start(), await start()]
    await join1(other, (await one.people.invite(ONE)).text)
    await other.stop()
    await until('it is gone', () => !one.host.isConnected(other.host.peerId))
    const again = await start({ dir: other.dir })
    await until('it is there again', () => again.host.isConnected(one.host.peerId))
    // Each end hears of a connection in its own time.
    await until('the other end says so', () => one.people.list()[0]?.connected)
  })

  test('hear a new name, and a stranger does not', async () => {
    const [one, other, stranger] = [
      await start({ name: 'Ann' }),
      await start({ name: 'Bob' }),
      await start({ name: 'Eve' }),
    ]
    await join1(other, (await one.people.invite(ONE)).text)
    // One that trusts this node and is not trusted by it.
    await stranger.people.trust(one.host.peerId)
    await stranger.host.libp2p.dial(one.host.multiaddrs().map((address) => multiaddr(address)))
    await until('the stranger has asked', () => stranger.people.list()[0]?.connected)
    await until('the friend knows the name', () => other.people.list()[0]?.ownName === 'Ann')
    expect(stranger.people.list()).toMatchObject([{ ownName: null }])
    expect(one.people.list().map(({ label }) => label)).toEqual(['Bob'])
  })
})

describe('a request that runs between two nodes', () => {
  const running = async () => {
    let prompts = 0
    let ended = 0
    const server = await startModelServer({
      async answer(request, response) {
        response.on('close', () => (ended += 1))
        await readBody(request)
        prompts += 1
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('data: {"choices":[{"delta":{"content":"one"}}]}\n\n')
      },
    })
    hosts.defer(() => server.close())
    const inProcess = async (flags: Record<string, unknown>): Promise<NodeInProcess> => {
      const node = await startNodeInProcess({ flags })
      hosts.defer(() => node.stop())
      return node
    }
    const provider = await inProcess({ 'service.name': 'llm', 'service.port': String(server.port) })
    const user = await inProcess({
      'bootstrap.sources': `${provider.gateway}/v1/dnt/bootstraps`,
      'use.reach': 'trusted',
    })
    await untilListed(user.gateway, 'test-model')
    expect((await chat(user.gateway, { model: 'test-model' })).status).toBe(403)
    const { text } = await provider.control.call('people.invite', {})
    expect((await user.control.call('people.join', { text })).outcome).toBe('joined')
    const response = await chat(user.gateway, { model: 'test-model', stream: true })
    expect(response.status).toBe(200)
    // A stream that broke ends with an error.
    const reading = response.text()
    expect([prompts, ended]).toEqual([1, 0])
    return { provider, user, reading, ended: () => ended }
  }

  test('ends at once, at the server too, when the user no longer trusts the provider', async () => {
    const { provider, user, reading, ended } = await running()
    await user.control.call('people.untrust', { peer: provider.peerId })
    expect(await reading).toMatch(/"one"[^]*"error"/)
    await until('the server was left', () => ended() === 1)
    expect((await chat(user.gateway, { model: 'test-model' })).status).toBe(403)
  })

  test('ends at once, at the server too, when the provider no longer trusts the user', async () => {
    const { provider, user, reading, ended } = await running()
    await provider.control.call('people.untrust', { peer: user.peerId })
    expect(await reading).toMatch(/"one"[^]*"error"/)
    await until('the server was left', () => ended() === 1)
  })
})

test(
  'ocf invite and ocf join have two processes trust each other, also after one was killed',
  { timeout: 240_000 },
  async () => {
    const start1 = async (dataDir?: string): Promise<NodeProcess> => {
      const node = await startNodeProcess({
        flags: ['--demo-model', 'off'],
        ...(dataDir === undefined ? {} : { dataDir }),
      })
      hosts.defer(() => node.stop())
      return node
    }
    const [folder, inviter] = [await hosts.folder(), await start1()]
    const guest = await start1(folder)
    const ocf = (node: NodeProcess, ...words: string[]) => runOcf([...words, '--data-dir', node.dataDir])
    await ocf(inviter, 'name', 'Ann')
    const invited = await ocf(inviter, 'invite', '--name', 'Bob', '--for', '1h')
    expect(invited.code).toBe(0)
    const joined = await ocf(guest, 'join', invited.stdout.trim())
    expect([joined.code, joined.stdout]).toEqual([0, 'You and Ann trust each other now.\n'])
    expect(joined.stdout + joined.stderr).not.toContain(invited.stdout.trim())
    expect((await ocf(inviter, 'people')).stdout).toMatch(/Bob +12D3KooW\S+ +came with an invite +connected/)
    expect((await ocf(inviter, 'invite', '--list')).stdout).toMatch(/Bob +used +1 of 1/)
    await guest.kill()
    const again = await start1(folder)
    expect((await ocf(again, 'people')).stdout).toMatch(/Ann +12D3KooW\S+ +invited you/)
    const { call } = createControlClient({ controlFile: join(again.dataDir, 'control.json') })
    await until('they are connected again', async () => (await call('people.list', {}))[0]?.connected)
    const logs = inviter.stderr() + guest.stderr() + again.stderr()
    expect(logs).not.toContain(invited.stdout.trim().slice(20, 80))
    const used = await ocf(again, 'join', invited.stdout.trim())
    expect([used.code, used.stdout]).toEqual([
      0,
      'You and Ann trusted each other already; the invite was not used up.\n',
    ])
    expect((await ocf(again, 'untrust', 'Ann')).code).toBe(0)
    expect((await ocf(again, 'people')).stdout).toContain('You do not trust anyone yet')
  },
)

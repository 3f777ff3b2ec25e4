import { generateKeyPair } from '@libp2p/crypto/keys'
import { gossipsub, type GossipSub, type Message } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signatureOptions, signOnly } from '../../../../../src-main/p2p/hardening/gossip/signed-topics.js'
import { until } from '../../../../fixtures/until.js'

const SIGNED = 'signed-topic'
const UNSIGNED = 'unsigned-topic'

type Peer = Libp2p<{ pubsub: GossipSub }>

/** What each heard. */
const heard = new Map<Peer, Message[]>()
let mixed: Peer
let alsoMixed: Peer
let signing: Peer
let silent: Peer

async function start(pubsub: () => ReturnType<typeof gossipsub>): Promise<Peer> {
  const peer = await createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: pubsub() },
  })
  heard.set(peer, [])
  peer.services.pubsub.addEventListener('gossipsub:message', ({ detail }) => heard.get(peer)?.push(detail.msg))
  for (const topic of [SIGNED, UNSIGNED]) peer.services.pubsub.subscribe(topic)
  return peer
}

const options = { allowPublishToZeroTopicPeers: true, floodPublish: true }
const startMixed = (): Promise<Peer> =>
  start(() => {
    const make = gossipsub({ ...options, ...signatureOptions([SIGNED]) })
    return (components) => signOnly(make(components), [SIGNED])
  })

beforeAll(async () => {
  mixed = await startMixed()
  alsoMixed = await startMixed()
  signing = await start(() => gossipsub({ ...options, globalSignaturePolicy: 'StrictSign' }))
  silent = await start(() => gossipsub({ ...options, globalSignaturePolicy: 'StrictNoSign' }))
  for (const peer of [alsoMixed, signing, silent]) await peer.dial(mixed.getMultiaddrs())
  await until(() => mixed.services.pubsub.getSubscribers(SIGNED).length === 3, { what: 'all have subscribed' })
})

afterAll(async () => {
  await Promise.all([mixed, alsoMixed, signing, silent].map(async (peer) => await peer.stop()))
})

const heardBy = (peer: Peer, text: string): Message | undefined =>
  heard.get(peer)?.find(({ data }) => Buffer.from(data).toString() === text)

const says = (peer: Peer, topic: string, text: string): Promise<unknown> =>
  peer.services.pubsub.publish(topic, Buffer.from(text))

test('one gossip signs in the topics that it is told, and in no other', async () => {
  // Beside each other, so that neither takes the other's policy.
  await Promise.all([
    says(mixed, SIGNED, 'with a name'),
    says(mixed, UNSIGNED, 'without'),
    says(mixed, SIGNED, 'again'),
  ])
  await until(() => heardBy(alsoMixed, 'without') && heardBy(alsoMixed, 'again'), { what: 'both come' })
  expect(heardBy(alsoMixed, 'with a name')).toMatchObject({ type: 'signed', topic: SIGNED })
  expect(heardBy(alsoMixed, 'without')).toMatchObject({ type: 'unsigned', topic: UNSIGNED })
})

test('whoever has one policy for all understands it in the topics of that policy', async () => {
  await until(() => heardBy(signing, 'again') && heardBy(silent, 'without'), { what: 'each hears what is for it' })
  await says(signing, SIGNED, 'from one that signs')
  await says(silent, UNSIGNED, 'from one that does not')
  await until(() => heardBy(mixed, 'from one that signs') && heardBy(mixed, 'from one that does not'), {
    what: 'it hears both',
  })
})

test('a message of the other kind is heard in no topic', async () => {
  await says(silent, SIGNED, 'unsigned where it has to be')
  await says(signing, UNSIGNED, 'signed where it must not be')
  await says(signing, SIGNED, 'the last')
  await says(silent, UNSIGNED, 'the very last')
  await until(() => heardBy(mixed, 'the last') && heardBy(mixed, 'the very last'), { what: 'later ones come' })
  expect(heardBy(mixed, 'unsigned where it has to be')).toBeUndefined()
  expect(heardBy(mixed, 'signed where it must not be')).toBeUndefined()
})

test('without such topics nothing is changed', () => {
  expect(signatureOptions([])).toEqual({ globalSignaturePolicy: 'StrictNoSign' })
})

import { CID_PREFIX, type Cid, cidBytes, readCid } from './cid.js'
import { bytesField, bytesOf, concat, decoded, fieldsOf, numberField, numberOf, ProtobufError } from './protobuf.js'

/** The protocols blocks are asked for with, best first. In the second there is no asking whether somebody has one. */
export const BITSWAP_PROTOCOLS = ['/ipfs/bitswap/1.2.0', '/ipfs/bitswap/1.1.0'] as const

/** Bytes of a message that are read; one block has at most half of it. */
export const MAX_MESSAGE_BYTES = 2 * 1024 * 1024

/** Wants, blocks and answers of one message that are read. */
const MAX_ITEMS = 4_096

/** One block that is asked for, or no longer. */
export interface Want {
  cid: Cid
  /** The block itself, or only whether the other side has it. */
  type: 'block' | 'have'
  cancel: boolean
  /** It wants to be told as well where the other side has it not. */
  sendDontHave: boolean
}

/** What one side tells the other. */
export interface BitswapMessage {
  wants: readonly Want[]
  /** Bytes of blocks. What they are called has to be found out by whoever reads them. */
  blocks: readonly Uint8Array[]
  presences: readonly { cid: Cid; has: boolean }[]
}

const ONLY_HAVE = 1
const DONT_HAVE = 1

/** The bytes of a message. Every one begins with a list of wants, be it empty, as those of the Go program do. */
export function encodeMessage({ wants = [], blocks = [], presences = [] }: Partial<BitswapMessage>): Uint8Array {
  return concat([
    bytesField(1, concat(wants.map((want) => bytesField(1, encodeWant(want))))),
    ...blocks.map((block) => bytesField(3, concat([bytesField(1, CID_PREFIX), bytesField(2, block)]))),
    ...presences.map(({ cid, has }) =>
      bytesField(4, concat([bytesField(1, cidBytes(cid)), ...(has ? [] : [numberField(2, DONT_HAVE)])])),
    ),
  ])
}

/** The message in these bytes; undefined for anything else. What is asked of other networks' blocks is left out. Never throws. */
export function decodeMessage(bytes: Uint8Array): BitswapMessage | undefined {
  if (bytes.byteLength > MAX_MESSAGE_BYTES) return undefined
  return decoded(() => {
    const message = { wants: [] as Want[], blocks: [] as Uint8Array[], presences: [] as { cid: Cid; has: boolean }[] }
    for (const field of fieldsOf(bytes)) {
      if (field.number === 1) {
        for (const entry of fieldsOf(bytesOf(field))) {
          if (entry.number === 1) push(message.wants, decodeWant(bytesOf(entry)))
        }
      } else if (field.number === 3) push(message.blocks, decodePayload(bytesOf(field)))
      else if (field.number === 4) push(message.presences, decodePresence(bytesOf(field)))
    }
    return message
  })
}

function push<T>(list: T[], item: T | undefined): void {
  if (item === undefined) return
  if (list.length >= MAX_ITEMS) throw new ProtobufError('more than a message may have')
  list.push(item)
}

function encodeWant({ cid, type, cancel, sendDontHave }: Want): Uint8Array {
  return concat([
    bytesField(1, cidBytes(cid)),
    ...(cancel ? [numberField(3, 1)] : [numberField(2, 1)]),
    ...(type === 'have' ? [numberField(4, ONLY_HAVE)] : []),
    ...(sendDontHave ? [numberField(5, 1)] : []),
  ])
}

function decodeWant(bytes: Uint8Array): Want | undefined {
  let cid: Cid | undefined
  const want: Omit<Want, 'cid'> = { type: 'block', cancel: false, sendDontHave: false }
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) cid = readCid(bytesOf(field))
    else if (field.number === 3) want.cancel = numberOf(field) !== 0
    else if (field.number === 4) want.type = numberOf(field) === ONLY_HAVE ? 'have' : 'block'
    else if (field.number === 5) want.sendDontHave = numberOf(field) !== 0
  }
  return cid === undefined ? undefined : { cid, ...want }
}

function decodePayload(bytes: Uint8Array): Uint8Array | undefined {
  let data: Uint8Array | undefined
  for (const field of fieldsOf(bytes)) if (field.number === 2) data = bytesOf(field)
  return data
}

function decodePresence(bytes: Uint8Array): { cid: Cid; has: boolean } | undefined {
  let cid: Cid | undefined
  let has = true
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) cid = readCid(bytesOf(field))
    else if (field.number === 2) has = numberOf(field) !== DONT_HAVE
  }
  return cid === undefined ? undefined : { cid, has }
}

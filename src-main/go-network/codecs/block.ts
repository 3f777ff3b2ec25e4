import { type Cid, cidBytes, readCid } from './cid.js'
import {
  bytesField,
  bytesOf,
  concat,
  decoded,
  fieldsOf,
  numberField,
  numberOf,
  ProtobufError,
  type ProtoField,
  textOf,
} from './protobuf.js'

/** A value that a block sets, or with its `id` one that it takes back. */
interface Element {
  /** `/` and a peer id. */
  key: string
  /** Empty where a value is set; else which block's value is taken back. */
  id: string
  value: Uint8Array
}

/** One step of the Go network's history: what it follows, and what it changes. */
export interface Block {
  /** The blocks before it. */
  links: readonly Cid[]
  elements: readonly Element[]
  tombstones: readonly Element[]
  /** Its height, from 1: of two values of a key the one of the higher block counts. */
  priority: number
}

/** Bytes of a block that are read; those of a row have some 900. */
export const MAX_BLOCK_BYTES = 1024 * 1024

/** Links and elements of a block that are read. */
const MAX_ITEMS = 4_096

/** The bytes of a block, the same for everybody who writes it: links first, in the order of their bytes. */
export function encodeBlock({ links, elements, tombstones, priority }: Block): Uint8Array {
  const delta = concat([
    ...elements.map((element) => bytesField(1, encodeElement(element))),
    ...tombstones.map((element) => bytesField(2, encodeElement(element))),
    ...(priority === 0 ? [] : [numberField(3, priority)]),
  ])
  const sorted = links.toSorted()
  return concat([...sorted.map((cid) => bytesField(2, encodeLink(cid))), bytesField(1, delta)])
}

/** The block in these bytes; undefined for anything else, and for one whose height no number here can hold. Never throws. */
export function decodeBlock(bytes: Uint8Array): Block | undefined {
  if (bytes.byteLength > MAX_BLOCK_BYTES) return undefined
  return decoded(() => {
    const links: Cid[] = []
    let data: Uint8Array | undefined
    for (const field of fieldsOf(bytes)) {
      if (field.number === 2) push(links, decodeLink(bytesOf(field)))
      else if (field.number === 1) data = bytesOf(field)
    }
    if (data === undefined) return undefined
    const block = { links, elements: [] as Element[], tombstones: [] as Element[], priority: 0 }
    for (const field of fieldsOf(data)) {
      if (field.number === 1) push(block.elements, decodeElement(bytesOf(field)))
      else if (field.number === 2) push(block.tombstones, decodeElement(bytesOf(field)))
      else if (field.number === 3) block.priority = numberOf(field)
    }
    return Number.isSafeInteger(block.priority) ? block : undefined
  })
}

function push<T>(list: T[], item: T): void {
  if (list.length >= MAX_ITEMS) throw new ProtobufError('more than a block may have')
  list.push(item)
}

function encodeLink(cid: Cid): Uint8Array {
  // Name and size are written though they are empty.
  return concat([bytesField(1, cidBytes(cid)), bytesField(2, ''), numberField(3, 0)])
}

function decodeLink(bytes: Uint8Array): Cid {
  let cid: Cid | undefined
  for (const field of fieldsOf(bytes)) if (field.number === 1) cid = readCid(bytesOf(field))
  if (cid === undefined) throw new ProtobufError('a link to no block')
  return cid
}

function encodeElement({ key, id, value }: Element): Uint8Array {
  return concat([
    ...(key === '' ? [] : [bytesField(1, key)]),
    ...(id === '' ? [] : [bytesField(2, id)]),
    ...(value.byteLength === 0 ? [] : [bytesField(3, value)]),
  ])
}

function decodeElement(bytes: Uint8Array): Element {
  const element: Element = { key: '', id: '', value: new Uint8Array(0) }
  for (const field of fieldsOf(bytes)) decodeElementField(element, field)
  return element
}

function decodeElementField(element: Element, field: ProtoField): void {
  if (field.number === 1) element.key = textOf(field)
  else if (field.number === 2) element.id = textOf(field)
  else if (field.number === 3) element.value = bytesOf(field)
}

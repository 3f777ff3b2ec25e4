import type { PairEnding } from '#shared/contract/people/pairing.js'
import { within } from '../../base/within.js'
import {
  codeOf,
  commitmentOf,
  decode,
  encode,
  keeps,
  type Message,
  newNonce,
  type Reason,
  type Sides,
} from './message.js'

/** How long (ms) the next frame may take where no person has to answer first. */
export const STEP_MS = 10_000

/** What two nodes talk over. */
export interface Line {
  /** Rejects when the other side is gone. */
  next(): Promise<Uint8Array>
  send(frame: Uint8Array): void
}

/** A pairing that came to nothing: why, and what the other side is still to hear. */
export class PairEnded extends Error {
  override name = 'PairEnded'
  readonly ending: PairEnding
  readonly tell: Reason | undefined
  /** What the other side said. */
  readonly heard: Reason | undefined

  constructor(ending: PairEnding, words: { tell?: Reason | undefined; heard?: Reason } = {}) {
    super(ending)
    this.ending = ending
    this.tell = words.tell
    this.heard = words.heard
  }
}

/** What the reason of the other side means here. `crossed` shows as `busy` only where its own request never comes. */
const ENDING_OF: Readonly<Record<Reason, PairEnding>> = {
  ...{ refused: 'they-refused', differ: 'they-differ', expired: 'expired', busy: 'busy', off: 'off', far: 'far' },
  ...{ full: 'full', 'not-stored': 'not-stored', crossed: 'busy', mismatch: 'mismatch' },
}

/** The code, as the side that asks gets it. Rejects with {@link PairEnded}, or what the line rejects with. */
export async function agreeAsAsker(line: Line, sides: Sides): Promise<string> {
  const asker = newNonce()
  send(line, { kind: 'commit', commitment: commitmentOf(sides, asker) })
  // Only now: who knew this nonce before its own was given could choose one that makes the code it wants.
  const { nonce: asked } = await read(line, 'nonce')
  send(line, { kind: 'reveal', nonce: asker })
  return codeOf(sides, { asker, asked })
}

/** The same for the side that is asked; `commitment` came in the first frame. */
export async function agreeAsAsked(line: Line, sides: Sides, commitment: Uint8Array): Promise<string> {
  const asked = newNonce()
  send(line, { kind: 'nonce', nonce: asked })
  const { nonce: asker } = await read(line, 'reveal')
  if (!keeps(commitment, sides, asker)) throw new PairEnded('mismatch', { tell: 'mismatch' })
  return codeOf(sides, { asker, asked })
}

/** What both persons' answers lead to at one side. */
export interface Settling {
  /** Resolves when the person here confirms. */
  confirmed: Promise<undefined>
  hasConfirmed(): boolean
  /** Rejects with {@link PairEnded} when it ends otherwise; never resolves. */
  stopped: Promise<never>
  onTheyConfirmed(): void
  ownName(): string
  /** Writes the other down as trusted. Rejects with {@link PairEnded} where that cannot be done. */
  store(name: string): Promise<void>
  /** Takes back what {@link Settling.store} did. */
  undo(): Promise<void>
  /** What the other calls itself, once it is trusted. */
  note(name: string): void
}

/**
 * The side that asked writes first, and only on a fresh word of the other that both persons have confirmed: a connection
 * that died while they compared leaves no trust on either side.
 */
export async function settleAsAsker(line: Line, on: Settling): Promise<'trusted' | 'unsure'> {
  void on.confirmed.then(() => send(line, { kind: 'confirm' })).catch(() => undefined) // Reading the line says so, too.
  const { kind } = await Promise.race([on.stopped, read(line, ['confirm', 'ready'], Infinity)])
  if (kind === 'confirm') {
    on.onTheyConfirmed()
    await Promise.race([on.stopped, read(line, 'ready', Infinity)])
  }
  if (!on.hasConfirmed()) throw new PairEnded('broken-off')
  on.onTheyConfirmed()
  await on.store('')
  send(line, { kind: 'stored', name: on.ownName() })
  return await theyStored(line, on)
}

async function theyStored(line: Line, on: Settling): Promise<'trusted' | 'unsure'> {
  try {
    const { name } = await read(line, 'stored')
    on.note(name)
    return 'trusted'
  } catch (error) {
    if (!(error instanceof PairEnded && error.heard !== undefined)) return 'unsure'
    await on.undo()
    throw error
  }
}

/** The side that was asked writes once the other one has. */
export async function settleAsAsked(line: Line, on: Settling): Promise<'trusted'> {
  let theyConfirmed = false
  void on.confirmed
    .then(() => {
      if (!theyConfirmed) send(line, { kind: 'confirm' })
    })
    .catch(() => undefined)
  await Promise.race([on.stopped, read(line, 'confirm', Infinity)])
  theyConfirmed = true
  on.onTheyConfirmed()
  // They may still change their mind, or be gone, before the person here answers.
  const next = line.next()
  await Promise.race([on.stopped, on.confirmed, next.then((frame) => expect(frame, []))])
  send(line, { kind: 'ready' })
  const { name } = expect(await within(next, STEP_MS, late), ['stored'])
  await on.store(name)
  send(line, { kind: 'stored', name: on.ownName() })
  return 'trusted'
}

/** Sends one. */
export function send(line: Line, message: Message): void {
  line.send(encode(message))
}

type Of<K extends Message['kind']> = Extract<Message, { kind: K }>

async function read<K extends Message['kind']>(line: Line, kinds: K | K[], limitMs = STEP_MS): Promise<Of<K>> {
  const frame = limitMs === Infinity ? await line.next() : await within(line.next(), limitMs, late)
  return expect(frame, [kinds].flat() as K[])
}

function expect<K extends Message['kind']>(frame: Uint8Array, kinds: readonly K[]): Of<K> {
  const message = decode(frame)
  if (message?.kind === 'no') throw new PairEnded(ENDING_OF[message.reason], { heard: message.reason })
  if (message === undefined || !(kinds as readonly string[]).includes(message.kind)) throw new PairEnded('broken-off')
  return message as Of<K>
}

function late(): never {
  throw new PairEnded('broken-off')
}

import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Client } from '#shared/contract/client.js'
import type { KeptConversation } from '#shared/contract/node/chats.js'
import { AppError } from '#shared/errors.js'
import { strings } from '../../strings.js'
import type { Conversation } from './conversation.js'
import { type Chats, problemOf } from './index.js'

const { keep: words } = strings.chat

/** How the conversations of this page are kept. */
export interface KeepState {
  /** `failed`: what is kept could not be loaded, so nothing is written in its place. */
  phase: 'loading' | 'off' | 'on' | 'failed'
  /** Whether the system’s key store guards the key. */
  sealed: boolean
  /** Whether conversations lie on this computer, also while they are not kept any more. */
  stored: boolean
  /** Files with conversations that could not be opened. */
  setAside: readonly string[]
  /** Why they could not be loaded or saved, for a person. */
  problem: string | undefined
}

/** They are stored this long after the last change, in ms. */
const SAVE_AFTER_MS = 1000
/** A save that took long makes the next one wait this many times as long: the node has others to serve. */
const REST_FACTOR = 10
/** But never later than this after the first one. */
const SAVE_AT_LATEST_MS = 10_000

/**
 * Keeps the conversations of a page on this computer where the setting `chats.keep` is on. The whole list is stored each
 * time, so of two pages the one that saved last wins.
 */
export class ChatKeeper {
  readonly store: StoreApi<KeepState> = createStore<KeepState>(() => ({
    ...{ phase: 'loading', sealed: false, stored: false, setAside: [], problem: undefined },
  }))
  readonly #client: Pick<Client, 'call'>
  readonly #chats: Chats
  /** A conversation that has not changed is not written out anew. */
  readonly #texts = new WeakMap<Conversation, string>()
  /** What another version of this page stored and this one does not understand: it is stored as it is. */
  #strange: readonly KeptConversation[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  /** When the first change came that is not stored yet. */
  #changedAtMs: number | undefined
  #isSaving = false
  /** How long the last save took, in ms. */
  #tookMs = 0
  #loading: Promise<void> | undefined

  constructor(client: Pick<Client, 'call'>, chats: Chats) {
    this.#client = client
    this.#chats = chats
    chats.store.subscribe(({ conversations }, before) => {
      if (conversations !== before.conversations) this.#changed()
    })
  }

  /** Takes in what is kept, once; it is tried again after a failure. Never rejects: the state says what went wrong. */
  async load(): Promise<void> {
    const { phase } = this.store.getState()
    if (phase === 'loading' || phase === 'failed') await this.#load()
  }

  /** From now on they are kept. Rejects with why not. */
  async switchOn(): Promise<void> {
    await this.#client.call('settings.set', { name: 'chats.keep', value: 'true' })
    await this.#loadAs('on')
    this.#changed()
    await this.#save()
  }

  /** From now on they are not kept, and what was is deleted; the page still has them. Rejects with why not. */
  async switchOff(): Promise<void> {
    await this.#client.call('settings.set', { name: 'chats.keep', value: 'false' })
    await this.forget()
    await this.#loadAs('off')
  }

  /** Deletes what lies on this computer. Rejects with why not. */
  async forget(): Promise<void> {
    await this.#client.call('chats.forget', {})
    this.#strange = []
    this.store.setState({ stored: false, setAside: [] })
    await this.load()
  }

  /** The page goes away: what is not stored yet is stored at once. */
  async leave(): Promise<void> {
    if (this.#isChanged()) await this.#save()
  }

  async #loadAs(phase: 'on' | 'off'): Promise<void> {
    await this.#load()
    const now = this.store.getState()
    if (now.phase === phase) return
    throw new AppError('invalid_settings', now.phase === 'failed' ? (now.problem ?? '') : words.overridden)
  }

  #load(): Promise<void> {
    this.#loading ??= this.#loadNow().finally(() => (this.#loading = undefined))
    return this.#loading
  }

  async #loadNow(): Promise<void> {
    try {
      const { keep, conversations, ...facts } = await this.#client.call('chats.load', {})
      const read = conversations.map((kept) => ({ kept, conversation: this.#read(kept) }))
      this.#strange = read.flatMap(({ kept, conversation }) => (conversation === undefined ? [kept] : []))
      // First the conversations: what is taken in is no change.
      this.#chats.adopt(read.flatMap(({ conversation }) => conversation ?? []))
      this.store.setState({ ...facts, phase: keep ? 'on' : 'off', problem: undefined })
    } catch (error) {
      this.store.setState({ phase: 'failed', problem: isAway(error) ? undefined : problemOf(error) })
    }
  }

  #read({ text }: KeptConversation): Conversation | undefined {
    try {
      const value: unknown = JSON.parse(text)
      return isConversation(value) ? value : undefined
    } catch {
      return undefined
    }
  }

  #isChanged(): boolean {
    return this.#changedAtMs !== undefined
  }

  #changed(): void {
    if (this.store.getState().phase !== 'on') return
    const now = Date.now()
    this.#changedAtMs ??= now
    clearTimeout(this.#timer)
    const rest = Math.max(SAVE_AFTER_MS, REST_FACTOR * this.#tookMs)
    const latest = this.#changedAtMs + Math.max(SAVE_AT_LATEST_MS, rest) - now
    this.#timer = setTimeout(() => this.#saveInTurn(), Math.max(0, Math.min(rest, latest)))
  }

  /** One that is under way sees to the next. */
  #saveInTurn(): void {
    if (!this.#isSaving) void this.#save()
  }

  async #save(): Promise<void> {
    clearTimeout(this.#timer)
    this.#changedAtMs = undefined
    this.#isSaving = true
    const startedAtMs = Date.now()
    const isDone = await this.#store()
    this.#tookMs = Date.now() - startedAtMs
    this.#isSaving = false
    if (!isDone) {
      this.#changedAtMs ??= Date.now()
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#saveInTurn(), SAVE_AT_LATEST_MS)
    } else if (this.#isChanged()) this.#changed()
  }

  /** False where it has to be tried again. */
  async #store(): Promise<boolean> {
    try {
      const { dropped } = await this.#client.call('chats.save', { conversations: this.#kept() })
      this.store.setState({ problem: undefined, stored: true })
      this.#chats.drop(dropped)
      this.#strange = this.#strange.filter(({ id }) => !dropped.includes(id))
      return true
    } catch (error) {
      const isOff = isRefused(error)
      // Switched off elsewhere: there is nothing to try again.
      if (isOff) this.store.setState({ phase: 'off', problem: undefined })
      else this.store.setState({ problem: isAway(error) ? undefined : problemOf(error) })
      return isOff
    }
  }

  #kept(): KeptConversation[] {
    const { conversations } = this.#chats.store.getState()
    const said = conversations.filter(({ leaf }) => leaf !== null)
    return [...said.map((one) => ({ id: one.id, text: this.#textOf(one) })), ...this.#strange]
  }

  #textOf(conversation: Conversation): string {
    const text = this.#texts.get(conversation) ?? JSON.stringify(conversation)
    this.#texts.set(conversation, text)
    return text
  }
}

/** Chats are not kept any more. */
const isRefused = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'invalid_request' && error.param === 'chats.keep'

/** The banner over every page says so already. */
const isAway = (error: unknown): boolean => error instanceof AppError && error.code === 'node_not_running'

/** What this version of the page stores: looked at as far as showing it needs. */
function isConversation(value: unknown): value is Conversation {
  if (!isRecord(value) || !isRecord(value['nodes']) || !isRecord(value['settings'])) return false
  const { id, title, leaf, changedAtMs, nodes, settings } = value
  return (
    typeof id === 'string' &&
    (title === null || typeof title === 'string') &&
    (leaf === null || typeof leaf === 'string') &&
    typeof changedAtMs === 'number' &&
    typeof settings['model'] === 'string' &&
    typeof settings['system'] === 'string' &&
    Object.values(nodes).every(isNode)
  )
}

function isNode(node: unknown): boolean {
  if (!isRecord(node) || typeof node['id'] !== 'string') return false
  if (node['kind'] === 'question') return typeof node['text'] === 'string' && Array.isArray(node['images'])
  const { answer } = node
  const isAnswer = node['kind'] === 'answer' && typeof node['model'] === 'string'
  return isAnswer && (answer === undefined || (isRecord(answer) && typeof answer['text'] === 'string'))
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

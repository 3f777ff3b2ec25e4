import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Client } from '#shared/contract/client.js'
import { AppError } from '#shared/errors.js'
import { shortPeerId } from '../../strings/format.js'
import { strings } from '../../strings.js'
import type { Answer } from './ask.js'
import {
  added,
  answered,
  ended,
  messagesFor,
  switchedTo,
  type AnswerNode,
  type ChatImage,
  type ChatSettings,
  type Conversation,
} from './conversation.js'

/** Conversations, the one that was used last first, and the one that is open. */
export interface ChatsState {
  conversations: readonly Conversation[]
  /** Null before the first. */
  openId: string | null
  /** Conversations that had to make room since the page was opened. */
  dropped: number
}

/** The most that there are; the ones that were used longest ago go. */
const MAX_CONVERSATIONS = 500
/** An answer is shown anew at most this often, in ms. */
const PAINT_EVERY_MS = 40
/** Header that names the provider to prefer. */
const PREFER_HEADER = 'X-Ocf-Prefer'
const PEER_IDS = /\b12D3KooW\w{44}\b/g

/**
 * The conversations of this page. They live in its memory: only a keeper stores them, where the person wants that. An
 * answer goes on while another page is looked at.
 */
export class Chats {
  readonly store: StoreApi<ChatsState> = createStore<ChatsState>(() => ({
    ...{ conversations: [], openId: null, dropped: 0 },
  }))
  readonly #client: Pick<Client, 'call'>
  readonly #running = new Map<string, AbortController>()
  /** Ids differ from those of pages before, whose conversations may be kept. */
  readonly #page = Math.random().toString(36).slice(2, 10)
  #lastId = 0

  constructor(client: Pick<Client, 'call'>) {
    this.#client = client
  }

  /** Opens an empty conversation: the one that is open where it has nothing yet. */
  begin(settings: ChatSettings): void {
    const { conversations, openId } = this.store.getState()
    const open = conversations.find(({ id }) => id === openId)
    if (open?.leaf === null) {
      this.configure(open.id, settings)
      return
    }
    const id = this.#nextId()
    const begun = { id, title: null, changedAtMs: Date.now(), nodes: {}, leaf: null, settings }
    const kept = conversations.filter(({ leaf }) => leaf !== null)
    this.store.setState({ conversations: [begun, ...kept], openId: id })
    this.drop(kept.slice(MAX_CONVERSATIONS - 1).map((old) => old.id))
  }

  /** Takes in conversations of an earlier page. An answer that was under way there ended with it. */
  adopt(kept: readonly Conversation[]): void {
    this.store.setState(({ conversations, openId }) => {
      const known = new Set(conversations.map(({ id }) => id))
      const adopted = kept.filter(({ id }) => !known.has(id)).map(ended)
      return { conversations: [...conversations, ...adopted], openId: openId ?? adopted[0]?.id ?? null }
    })
  }

  /** Removes those for which there is no room, and counts them. */
  drop(ids: readonly string[]): void {
    if (ids.length === 0) return
    for (const id of ids) this.remove(id)
    this.store.setState(({ dropped }) => ({ dropped: dropped + ids.length }))
  }

  open(id: string): void {
    this.store.setState({ openId: id })
  }

  /** An empty title names it after its first question again. */
  rename(id: string, title: string): void {
    this.#change(id, (one) => ({ ...one, title: title.trim() === '' ? null : title.trim() }))
  }

  remove(id: string): void {
    this.stop(id)
    this.store.setState(({ conversations, openId }) => {
      const rest = conversations.filter((one) => one.id !== id)
      return { conversations: rest, openId: openId === id ? (rest[0]?.id ?? null) : openId }
    })
  }

  configure(id: string, settings: Partial<ChatSettings>): void {
    this.#change(id, (one) => ({ ...one, settings: { ...one.settings, ...settings } }))
  }

  /** Shows another version of a question or an answer. */
  show(id: string, nodeId: string): void {
    this.#change(id, (one) => switchedTo(one, nodeId))
  }

  /** Asks at the end of the branch that is shown. */
  send(id: string, text: string, images: readonly ChatImage[]): void {
    this.#askAt(id, this.#find(id)?.leaf ?? null, text, images)
  }

  /** Asks something else in place of a question; the one before stays as a branch. */
  edit(id: string, questionId: string, text: string): void {
    const question = this.#find(id)?.nodes[questionId]
    if (question?.kind === 'question') this.#askAt(id, question.parent, text, question.images)
  }

  /** Answers a question once more, with the settings of now; the answer before stays as a branch. */
  retry(id: string, questionId: string): void {
    if (this.#running.has(id)) return
    this.#change(id, (one) => ({ ...one, leaf: questionId }))
    this.#answer(id, questionId)
  }

  /** Ends the answer that runs; what came of it stays. */
  stop(id: string): void {
    this.#running.get(id)?.abort()
  }

  #askAt(id: string, parent: string | null, text: string, images: readonly ChatImage[]): void {
    if (this.#running.has(id)) return
    const question = { kind: 'question' as const, id: this.#nextId(), parent, text, images }
    this.#change(id, (one) => ({ ...added(one, question), changedAtMs: Date.now() }))
    this.#answer(id, question.id)
    this.store.setState(({ conversations }) => ({
      conversations: conversations.toSorted((a, b) => Number(b.id === id) - Number(a.id === id)),
    }))
  }

  #answer(id: string, questionId: string): void {
    const conversation = this.#find(id)
    if (conversation === undefined) return
    const { model } = conversation.settings
    const node: AnswerNode = {
      ...{ kind: 'answer', id: this.#nextId(), parent: questionId, model },
      ...{ answer: undefined, state: 'running', problem: undefined },
    }
    const controller = new AbortController()
    this.#running.set(id, controller)
    this.#change(id, (one) => added(one, node))
    const change = (fields: Partial<AnswerNode>): void => this.#change(id, (one) => answered(one, node.id, fields))
    const painter = new Painter((answer) => change({ answer }))
    this.#ask(conversation, questionId, painter, controller.signal)
      .then(
        () => change({ ...painter.last(), state: 'done' }),
        (error: unknown) => {
          const isStopped = controller.signal.aborted
          const end = isStopped
            ? { state: 'stopped' as const }
            : { state: 'failed' as const, problem: problemOf(error) }
          change({ ...painter.last(), ...end })
        },
      )
      .finally(() => this.#running.delete(id))
  }

  async #ask(conversation: Conversation, questionId: string, painter: Painter, signal: AbortSignal): Promise<void> {
    const { model, provider, temperature, maxTokens } = conversation.settings
    // Who opens the dashboard does not chat at once: the first page need not wait for it.
    const { ask, gatewayOf } = await import('./ask.js')
    const gateway = await gatewayOf(this.#client)
    signal.throwIfAborted()
    const headers: Record<string, string> = provider === null ? {} : { [PREFER_HEADER]: provider }
    const question = {
      ...{ headers, ...gateway, model, temperature, maxTokens },
      messages: messagesFor(conversation, questionId),
    }
    await ask(question, (answer) => painter.show(answer), signal)
  }

  #find(id: string): Conversation | undefined {
    return this.store.getState().conversations.find((one) => one.id === id)
  }

  #change(id: string, change: (conversation: Conversation) => Conversation): void {
    this.store.setState(({ conversations }) => ({
      conversations: conversations.map((one) => (one.id === id ? change(one) : one)),
    }))
  }

  #nextId(): string {
    this.#lastId += 1
    return `${this.#page}-${this.#lastId}`
  }
}

/** What went wrong, for a person: peers by their short ids, which are the ones that the pages show. */
export function problemOf(error: unknown): string {
  if (!(error instanceof AppError)) return error instanceof Error ? error.message : strings.state.failed
  return `${error.message.replace(PEER_IDS, shortPeerId)} ${strings.offline.code(error.code)}`
}

/** Shows only the newest of what comes within a moment. */
class Painter {
  readonly #paint: (answer: Answer) => void
  #newest: Answer | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(paint: (answer: Answer) => void) {
    this.#paint = paint
  }

  show(answer: Answer): void {
    this.#newest = answer
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#newest !== undefined) this.#paint(this.#newest)
    }, PAINT_EVERY_MS)
  }

  /** What is to be shown at the end; nothing is painted after it. */
  last(): { answer?: Answer } {
    clearTimeout(this.#timer)
    return this.#newest === undefined ? {} : { answer: this.#newest }
  }
}

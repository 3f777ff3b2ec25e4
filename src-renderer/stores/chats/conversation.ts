import type { Answer, ChatMessage } from './ask.js'

/** A picture that goes with a question, as a `data:` URL. */
export interface ChatImage {
  name: string
  url: string
}

/** Whom a conversation asks, and how. */
export interface ChatSettings {
  model: string
  /** Peer id of the provider to prefer; null lets the gateway choose. */
  provider: string | null
  /** Empty for none. */
  system: string
  /** Null for what the server takes by default. */
  temperature: number | null
  /** Tokens of one answer; null for what the server takes by default. */
  maxTokens: number | null
}

/** What a person asked. */
export interface QuestionNode {
  kind: 'question'
  id: string
  /** The answer it follows; null at the beginning. */
  parent: string | null
  text: string
  images: readonly ChatImage[]
}

/** What came of a question. */
export interface AnswerNode {
  kind: 'answer'
  id: string
  /** The question it answers. */
  parent: string
  model: string
  answer: Answer | undefined
  state: 'running' | 'done' | 'stopped' | 'failed'
  /** Why it failed, for a person. */
  problem: string | undefined
}

/** A question or an answer. */
export type ChatNode = QuestionNode | AnswerNode

/** A tree of questions and answers: what is edited or tried again is a branch beside the one before. */
export interface Conversation {
  id: string
  /** Null until a person names it: it is then called after its first question. */
  title: string | null
  /** Unix milliseconds of the last question. */
  changedAtMs: number
  /** By id, in the order in which they came. */
  nodes: Readonly<Record<string, ChatNode>>
  /** The end of the branch that is shown. */
  leaf: string | null
  settings: ChatSettings
}

/** Characters of a title that is taken from a question. */
const TITLE_CHARS = 60

/** The branch that is shown, or the one that ends with `leaf`; the first question comes first. */
export function pathOf({ nodes, leaf }: Conversation, end: string | null = leaf): ChatNode[] {
  const path: ChatNode[] = []
  for (let id = end; id !== null;) {
    const node: ChatNode | undefined = nodes[id]
    if (node === undefined) break
    path.unshift(node)
    id = node.parent
  }
  return path
}

/** Whether an answer is under way on the branch that is shown. */
export function isRunning(conversation: Conversation): boolean {
  const last = pathOf(conversation).at(-1)
  return last?.kind === 'answer' && last.state === 'running'
}

/** The versions of a question or an answer, itself included, in the order in which they came. */
export function versionsOf({ nodes }: Conversation, { parent }: ChatNode): ChatNode[] {
  return Object.values(nodes).filter((node) => node.parent === parent)
}

/** A conversation with one node more, which ends the branch that is shown. */
export function added(conversation: Conversation, node: ChatNode): Conversation {
  return { ...conversation, nodes: { ...conversation.nodes, [node.id]: node }, leaf: node.id }
}

/** A conversation in which an answer has become another one. */
export function answered(conversation: Conversation, id: string, fields: Partial<AnswerNode>): Conversation {
  const node = conversation.nodes[id]
  if (node?.kind !== 'answer') return conversation
  return { ...conversation, nodes: { ...conversation.nodes, [id]: { ...node, ...fields } } }
}

/** A conversation of a page that is gone: what ran there was stopped. */
export function ended(conversation: Conversation): Conversation {
  const nodes = Object.entries(conversation.nodes).map(([id, node]): [string, ChatNode] => [
    id,
    node.kind === 'answer' && node.state === 'running' ? { ...node, state: 'stopped' } : node,
  ])
  return { ...conversation, nodes: Object.fromEntries(nodes) }
}

/** Shows the branch of a node, down to what was said last on it. */
export function switchedTo(conversation: Conversation, id: string): Conversation {
  const nodes = Object.values(conversation.nodes)
  let leaf = id
  for (let next = nodes.findLast(({ parent }) => parent === leaf); next !== undefined;) {
    leaf = next.id
    const above = leaf
    next = nodes.findLast(({ parent }) => parent === above)
  }
  return { ...conversation, leaf }
}

/** What it is called: as a person named it, or after its first question; undefined while it has none. */
export function titleOf({ title, nodes }: Conversation): string | undefined {
  if (title !== null) return title
  const first = Object.values(nodes).find((node) => node.kind === 'question')
  if (first === undefined) return undefined
  const line = first.text.trim().split('\n', 1)[0] ?? ''
  if (line === '') return first.images[0]?.name
  return line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS).trimEnd()}…` : line
}

/** Whether its title or anything said in it contains a text. */
export function contains(conversation: Conversation, text: string): boolean {
  const wanted = text.trim().toLowerCase()
  const said = Object.values(conversation.nodes).map((node) =>
    node.kind === 'question' ? node.text : (node.answer?.text ?? ''),
  )
  return [conversation.title ?? '', ...said].some((part) => part.toLowerCase().includes(wanted))
}

/** What the gateway is asked so that it answers `question`: the system prompt and the branch down to it. */
export function messagesFor(conversation: Conversation, question: string): ChatMessage[] {
  const { system } = conversation.settings
  const path = pathOf(conversation, question)
  // A question without an answer is left out: models expect the two by turns.
  const said = path.filter((node, index) => {
    if (node.kind === 'answer') return hasText(node)
    const next = path[index + 1]
    return next === undefined || hasText(next)
  })
  return [...(system.trim() === '' ? [] : [{ role: 'system' as const, content: system }]), ...said.map(messageOf)]
}

const hasText = (node: ChatNode): boolean => node.kind === 'answer' && (node.answer?.text ?? '') !== ''

function messageOf(node: ChatNode): ChatMessage {
  if (node.kind === 'answer') return { role: 'assistant', content: splitThinking(node.answer?.text ?? '').said }
  if (node.images.length === 0) return { role: 'user', content: node.text }
  const images = node.images.map(({ url }) => ({ type: 'image_url' as const, image_url: { url } }))
  return {
    role: 'user',
    content: [...(node.text === '' ? [] : [{ type: 'text' as const, text: node.text }]), ...images],
  }
}

/**
 * Parts an answer that begins with `<think>`, as models write whose server does not keep their thoughts apart. A part
 * that has not ended yet is all thought.
 */
export function splitThinking(text: string): { thought: string; said: string } {
  const start = /^\s*<think(?:ing)?>/.exec(text)
  if (start === null) return { thought: '', said: text }
  const rest = text.slice(start[0].length)
  const end = /<\/think(?:ing)?>/.exec(rest)
  if (end === null) return { thought: rest.trim(), said: '' }
  return { thought: rest.slice(0, end.index).trim(), said: rest.slice(end.index + end[0].length).trimStart() }
}

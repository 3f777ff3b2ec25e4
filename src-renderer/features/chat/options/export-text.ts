import { pathOf, splitThinking, titleOf, type Conversation } from '../../../stores/chats/conversation.js'
import { strings } from '../../../strings.js'

const { chat: words } = strings

/** The branch of a conversation that is shown, as Markdown. Pictures are named only. */
export function exportText(conversation: Conversation): string {
  const { system } = conversation.settings
  const parts = [`# ${titleOf(conversation) ?? words.newTitle}`]
  if (system.trim() !== '') parts.push(section(words.exported.system, system.trim()))
  for (const node of pathOf(conversation)) {
    if (node.kind === 'question') {
      const images = node.images.map(({ name }) => `[${name}]`)
      parts.push(section(words.exported.question, [node.text, ...images].filter((text) => text !== '').join('\n\n')))
    } else {
      const { said } = splitThinking(node.answer?.text ?? '')
      parts.push(section(words.exported.answer(node.model), said === '' ? (node.problem ?? strings.unknown) : said))
    }
  }
  return `${parts.join('\n\n')}\n`
}

function section(title: string, text: string): string {
  return `## ${title}\n\n${text}`
}

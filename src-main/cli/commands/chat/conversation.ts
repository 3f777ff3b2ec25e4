import { AppError } from '#shared/errors.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo } from '../../io.js'
import { printAnswer, type ChatMessage, type ChatTarget } from './answer.js'

/** What a person may type in place of a question. */
const COMMANDS: Readonly<Record<string, string>> = {
  '/new': 'begins a new conversation',
  '/model NAME': 'goes on with another model',
  '/system TEXT': 'sets the system prompt; without a text, removes it',
  '/exit': 'ends, as Ctrl-D does',
}

const WELCOME = 'Ctrl-C stops an answer, Ctrl-D ends, /help lists more. The conversation isn’t stored.\n'

/** A conversation at the terminal, until the person ends it. Resolves to the exit code. */
export async function runConversation(
  needs: ChatTarget & { io: CliIo; ask: NonNullable<CliIo['ask']> },
  options: { model: string },
): Promise<number> {
  const { io } = needs
  const conversation = new Conversation(needs, options.model)
  io.stdout.write(`${printable(options.model)}\n${WELCOME}`)
  for (let line = await nextText(needs.ask); line !== undefined; line = await nextText(needs.ask)) {
    if (line === '/exit' || line === '/bye') break
    await conversation.take(line)
  }
  return EXIT.ok
}

const PROMPT = '>>> '
const CONTINUED = '... '

/** What the person types; a line that ends with a backslash goes on. Undefined at the end. */
async function nextText(ask: NonNullable<CliIo['ask']>): Promise<string | undefined> {
  const never = new AbortController().signal
  let text = await ask(PROMPT, never)
  while (text?.endsWith('\\') === true) {
    const more = await ask(CONTINUED, never)
    if (more === undefined) break
    text = `${text.slice(0, -1)}\n${more}`
  }
  return text?.trim()
}

class Conversation {
  readonly #needs: ChatTarget & { io: CliIo }
  #model: string
  #system: string | undefined
  #messages: ChatMessage[] = []

  constructor(needs: ChatTarget & { io: CliIo }, model: string) {
    this.#needs = needs
    this.#model = model
  }

  /** A question, or a command. Nothing it meets ends the conversation. */
  async take(line: string): Promise<void> {
    if (line === '') return
    const [, command, rest = ''] = /^(\/[a-z?]*)\s*(.*)$/s.exec(line) ?? []
    if (command === undefined) await this.#ask(line)
    else this.#say(this.#obey(command, rest))
  }

  #say(sentence: string): void {
    this.#needs.io.stdout.write(`${printable(sentence, '\n')}\n`)
  }

  #obey(command: string, rest: string): string {
    if (command === '/new') {
      this.#messages = []
      return 'A new conversation.'
    }
    if (command === '/model' && rest !== '') {
      this.#model = rest
      return `From here on with ${rest}.`
    }
    if (command === '/system') {
      this.#system = rest === '' ? undefined : rest
      return rest === '' ? 'The system prompt is removed.' : 'The system prompt is set.'
    }
    const lines = Object.entries(COMMANDS).map(([name, help]) => `  ${name.padEnd(14)}${help}`)
    return ['A line that ends with \\ goes on in the next one.', ...lines].join('\n')
  }

  async #ask(question: string): Promise<void> {
    const asked: ChatMessage = { role: 'user', content: question }
    const first: ChatMessage[] = this.#system === undefined ? [] : [{ role: 'system', content: this.#system }]
    try {
      const messages = [...first, ...this.#messages, asked]
      const { text } = await printAnswer(this.#needs, { model: this.#model, messages })
      // What was not answered at all may be asked again as it was.
      if (text !== '') this.#messages.push(asked, { role: 'assistant', content: text })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      this.#needs.io.stderr.write(`error: ${printable(error.message)} (${error.code})\n`)
    }
  }
}

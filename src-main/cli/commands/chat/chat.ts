import { AppError } from '#shared/errors.js'
import type { CliIo, ControlClient } from '../../io.js'
import { readPeerNames } from '../../peer-names.js'
import { printAnswer, type ChatTarget } from './answer.js'
import { runConversation } from './conversation.js'

/** What `ocf chat` is asked for; without a text it comes from a pipe, or a conversation begins. */
export interface ChatOptions {
  model: string | undefined
  text: string | undefined
}

/**
 * `ocf chat [MODEL] [TEXT]`: one answer, or a conversation at the terminal. Rejects with `node_not_running` where no node
 * runs, and with `invalid_settings` where it is not clear what to ask.
 */
export async function runChat(needs: { io: CliIo; client: ControlClient }, options: ChatOptions): Promise<number> {
  const { io, client } = needs
  const { gatewayUrl, peerId } = await client.call('node.status', {})
  if (gatewayUrl === null)
    throw new AppError('no_provider', "The node's gateway is not listening yet. Try again in a moment.")
  const { key } = await client.call('keys.own', {})
  const { labelOf } = await readPeerNames(client, peerId)
  const target = { io, gatewayUrl, key, labelOf }
  const model = options.model ?? (await onlyModel(client))
  const text = options.text === '-' ? undefined : options.text
  if (text !== undefined) return await answerOnce(target, model, text)
  if (io.readInput !== undefined) return await answerOnce(target, model, await inputOf(io.readInput))
  if (io.ask === undefined) throw new AppError('invalid_settings', 'There is no text to send. Put it behind the model.')
  return await runConversation({ ...target, ask: io.ask }, { model })
}

async function answerOnce(target: ChatTarget & { io: CliIo }, model: string, text: string): Promise<number> {
  return (await printAnswer(target, { model, messages: [{ role: 'user', content: text }] })).code
}

async function inputOf(read: () => Promise<string>): Promise<string> {
  const text = (await read()).trimEnd()
  if (text === '') throw new AppError('invalid_settings', 'What came by the pipe is empty: there is nothing to send.')
  return text
}

const MAX_LISTED = 10

/** Without a name there has to be just one model. */
async function onlyModel(client: ControlClient): Promise<string> {
  const models = await client.call('models.list', {})
  const [only] = models
  if (only === undefined) {
    throw new AppError('model_not_found', 'No model is available yet. `ocf models` lists those that are.')
  }
  if (models.length === 1) return only.id
  const listed = models.slice(0, MAX_LISTED).map(({ id }) => id)
  const more = models.length > MAX_LISTED ? ` and ${models.length - MAX_LISTED} more, which \`ocf models\` lists` : ''
  throw new AppError('invalid_settings', `Say which model, as in \`ocf chat MODEL\`: ${listed.join(', ')}${more}.`)
}

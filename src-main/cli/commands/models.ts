import type { ModelView } from '#shared/contract/models/models.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { mayColour, textTable } from '../table.js'

/** `ocf models`: what can be used now through the running node's gateway. */
export async function runModels(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean },
): Promise<number> {
  const { io, client } = needs
  const models = await client.call('models.list', {})
  io.stdout.write(options.json ? `${JSON.stringify(models, null, 2)}\n` : modelsText(models, mayColour(io)))
  return EXIT.ok
}

function modelsText(models: ModelView[], colour: boolean): string {
  if (models.length === 0)
    return 'No model is available yet. Share one of this machine, or wait until a peer offers one.\n'
  const rows = models.map((model) => [
    model.id,
    String(model.providers.length),
    model.local ? (model.shared ? 'shared' : 'not shared') : '',
    model.contextLength === undefined ? '' : `${model.contextLength} tokens`,
  ])
  return textTable(['MODEL', 'PROVIDERS', 'THIS MACHINE', 'CONTEXT'], rows, { colour })
}

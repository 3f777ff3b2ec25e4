import { VISIBILITIES } from '#shared/contract/sharing/visibility.js'
import { SETTING_NAMES, type SettingName } from '../../../config/index.js'
import type { CommandPlan, Invocation } from '../../command-plan.js'
import type { CliHandlers, CliIo, ControlClient } from '../../io.js'
import { COMMON_SETTINGS } from '../../setting-options.js'
import { ENGINE_ACTIONS, ENGINE_OPTIONS, runEngine } from './engine.js'
import { runServe, SERVE_OPTIONS, serveProblems } from './serve.js'

/** The commands of models that are run from their files. */
export function enginePlans({
  client,
  handlers,
  location,
}: {
  client: (invocation: Invocation) => { io: CliIo; client: ControlClient }
  handlers: Pick<CliHandlers, 'start' | 'engineTools'>
  /** Where a running node is found. */
  location: readonly SettingName[]
}): CommandPlan[] {
  const tools = handlers.engineTools
  return [
    {
      name: 'serve',
      group: 'share',
      summary: 'Serves a model from its file, without a model server.',
      help: 'Serves a model from its file or by its name on this disk, through the running node; where none runs, it runs one until Ctrl-C.',
      examples: [
        'ocf serve ./model.gguf',
        'ocf serve llama3.2:latest --share trusted',
        'ocf serve ./model.gguf --stop',
      ],
      args: ['FILE|NAME'],
      values: { '--share': VISIBILITIES },
      settings: SETTING_NAMES,
      common: COMMON_SETTINGS,
      options: SERVE_OPTIONS,
      check: serveProblems,
      run: (invocation) => runServe({ ...client(invocation), tools, start: handlers.start }, invocation),
    },
    {
      name: 'engine',
      group: 'share',
      summary: 'Installs or removes the engine that `ocf serve` runs models with.',
      help: 'Shows, installs or removes the engine that runs models from their files. It is fetched into the data folder and nowhere else.',
      examples: ['ocf engine', 'ocf engine install', 'ocf engine install --backend vulkan --yes', 'ocf engine remove'],
      optionalArgs: ['ACTION'],
      values: { ACTION: ENGINE_ACTIONS, '--backend': ['cpu', 'vulkan', 'cuda', 'metal'] },
      settings: [...location, 'engine.registry'],
      only: [...location, 'engine.registry'],
      common: [],
      json: true,
      options: ENGINE_OPTIONS,
      run: (invocation) => runEngine({ ...client(invocation), tools }, invocation),
    },
  ]
}

import type { Command } from 'commander'
import { SETTING_NAMES, type SettingName } from '../config/settings.js'
import { addPlannedCommand, createBareProgram, type CommandPlan, type Invocation } from './command-plan.js'
import { runChat } from './commands/chat.js'
import { runConfig } from './commands/config.js'
import { DEFAULT_DEMO_NODES, DEMO_SETTINGS, nodesProblems, readNodes } from './commands/demo.js'
import { runDoctor } from './commands/doctor.js'
import { IDENTITY_OPTIONS, identityProblems, runIdentity } from './commands/identity.js'
import { runModels } from './commands/models.js'
import { runPeers } from './commands/peers.js'
import { runStatus } from './commands/status.js'
import { runVersion } from './commands/version.js'
import type { CliNeeds } from './io.js'
import { sharingPlans } from './sharing-plans.js'

/** Where a running node is found. */
const LOCATION: SettingName[] = ['data-dir', 'config']

/** The table of contents of `ocf`; `literals` are the words behind `--`, `finish` gets the exit code. */
export function createProgram(needs: CliNeeds, options: { literals: string[]; finish(code: number): void }): Command {
  const { io, handlers } = needs
  const client = ({ loaded }: Invocation) => ({ io, client: needs.connect(loaded.settings['data-dir']) })
  const plans: CommandPlan[] = [
    {
      name: 'start',
      help: 'Runs a node until Ctrl-C.',
      settings: SETTING_NAMES,
      run: ({ loaded }) => handlers.start(loaded.settings, loaded.origins),
    },
    {
      name: 'app',
      help: 'Runs the desktop app; where there is no display, a node with its dashboard in the browser.',
      settings: SETTING_NAMES,
      run: ({ loaded }) => handlers.app(loaded.settings, loaded.origins),
    },
    {
      name: 'demo',
      help: 'Runs a small network on this machine, with pretend models, to try things out.',
      settings: DEMO_SETTINGS,
      options: [
        ['--nodes [value]', `How many nodes (default: ${DEFAULT_DEMO_NODES})`],
        ['--once', 'Ends after the first answer instead of staying up.'],
      ],
      check: nodesProblems,
      run: ({ own, loaded }) =>
        handlers.demo({
          nodes: readNodes(own.nodes),
          once: own.once === true,
          settings: loaded.settings,
          origins: loaded.origins,
        }),
    },
    {
      name: 'status',
      help: 'Tells how the running node fares.',
      settings: LOCATION,
      only: LOCATION,
      json: true,
      run: (invocation) => runStatus(client(invocation), invocation),
    },
    {
      name: 'peers',
      help: 'Lists the peers the running node knows.',
      settings: LOCATION,
      only: LOCATION,
      json: true,
      run: (invocation) => runPeers(client(invocation), invocation),
    },
    {
      name: 'doctor',
      help: 'Looks for what keeps this node, or the way to one peer, from working, and tells what to do.',
      optionalArgs: ['PEER'],
      settings: SETTING_NAMES,
      json: true,
      run: (invocation) => {
        const { json, args, loaded } = invocation
        return runDoctor(client(invocation), { json, peerId: args[0], loaded })
      },
    },
    {
      name: 'models',
      help: 'Lists the models that can be used now.',
      settings: LOCATION,
      only: LOCATION,
      json: true,
      run: (invocation) => runModels(client(invocation), invocation),
    },
    {
      name: 'chat',
      help: 'Asks a model through the running node and prints the answer as it comes.',
      args: ['MODEL', 'TEXT'],
      settings: LOCATION,
      only: LOCATION,
      run: (invocation) => {
        const [model = '', text = ''] = invocation.args
        return runChat(client(invocation), { model, text })
      },
    },
    ...sharingPlans({ client, location: LOCATION }),
    {
      name: 'identity',
      help: 'Tells whose key the running node has, saves it (backup FILE) or takes another one (restore FILE).',
      optionalArgs: ['ACTION', 'FILE'],
      settings: LOCATION,
      only: LOCATION,
      options: IDENTITY_OPTIONS,
      check: identityProblems,
      run: (invocation) => {
        const [action, file] = invocation.args
        return runIdentity(client(invocation), { action, file, own: invocation.own })
      },
    },
    {
      name: 'config',
      help: 'Prints every setting with its value and where that came from.',
      settings: SETTING_NAMES,
      json: true,
      run: ({ loaded, json }) => runConfig({ io, settings: loaded.settings, origins: loaded.origins }, { json }),
    },
    {
      name: 'version',
      help: 'Prints the versions of this program and its runtime.',
      settings: [],
      only: [],
      json: true,
      run: ({ json }) => runVersion({ io }, { json }),
    },
  ]
  const program = createBareProgram(io)
  for (const plan of plans) addPlannedCommand(program, plan, { io, ...options })
  return program
}

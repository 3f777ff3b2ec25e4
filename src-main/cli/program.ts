import type { Command } from 'commander'
import { SETTING_NAMES, type SettingName } from '../config/index.js'
import { addPlannedCommand, createBareProgram, type CommandPlan, type Invocation } from './command-plan.js'
import { DEFAULT_DEMO_NODES, DEMO_SETTINGS, nodesProblems, readNodes } from './commands/demo.js'
import { enginePlans } from './commands/engine/plans.js'
import { nodePlans } from './commands/node/plans.js'
import { peoplePlans } from './commands/people/plans.js'
import { sharingPlans, usePlans } from './commands/plans.js'
import type { CliIo, CliNeeds } from './io.js'
import { COMMON_SETTINGS } from './setting-options.js'

/** Where a running node is found. */
const LOCATION: SettingName[] = ['data-dir', 'config']

/** The same as the command line needs, with a guarded world. */
type ProgramNeeds = Omit<CliNeeds, 'io'> & { io: CliIo }

/** What `ocf` can do, in the order of its help. */
function createPlans(needs: ProgramNeeds): CommandPlan[] {
  const { io, handlers } = needs
  const client = ({ loaded }: Invocation) => ({ io, client: needs.connect(loaded.settings['data-dir']) })
  return [
    {
      name: 'start',
      group: 'run',
      help: 'Runs a node until Ctrl-C.',
      examples: [
        'ocf start',
        'ocf start --port 8000 --mode standalone',
        'ocf start --service.name llm --service.port 11434',
      ],
      settings: SETTING_NAMES,
      common: COMMON_SETTINGS,
      run: ({ loaded }) => handlers.start(loaded.settings, loaded.origins),
    },
    {
      name: 'app',
      group: 'run',
      summary: 'Runs the desktop app.',
      help: 'Runs the desktop app; where there is no display, a node with its dashboard in the browser.',
      settings: SETTING_NAMES,
      common: COMMON_SETTINGS,
      run: ({ loaded }) => handlers.app(loaded.settings, loaded.origins),
    },
    {
      name: 'demo',
      group: 'run',
      summary: 'Runs a small pretend network on this machine.',
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
    ...usePlans({ client, location: LOCATION, tools: handlers.engineTools }),
    ...sharingPlans({ client, location: LOCATION }),
    ...enginePlans({ client, handlers, location: LOCATION }),
    ...peoplePlans({ client, location: LOCATION }),
    ...nodePlans({ io, client, location: LOCATION, plans: () => createPlans(needs) }),
  ]
}

/** The table of contents of `ocf`; `literals` are the words behind `--`, `finish` gets the exit code. */
export function createProgram(
  needs: ProgramNeeds,
  options: { literals: string[]; finish(code: number): void },
): Command {
  const { io } = needs
  const program = createBareProgram(io)
  const tolerant = needs.isTolerant === true
  for (const plan of createPlans(needs)) addPlannedCommand(program, plan, { io, tolerant, ...options })
  return program
}

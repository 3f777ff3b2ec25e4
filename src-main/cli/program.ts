import type { Command } from 'commander'
import { LIMIT_NAMES, LIMITS } from '#shared/limits.js'
import { VERSION } from '../base/version.js'
import { SETTING_NAMES, type SettingName } from '../config/index.js'
import { addPlannedCommand, createBareProgram, type CommandPlan, type Invocation } from './command-plan.js'
import { runChat } from './commands/chat/chat.js'
import { DEFAULT_DEMO_NODES, DEMO_SETTINGS, nodesProblems, readNodes } from './commands/demo.js'
import { runDetect } from './commands/detect.js'
import { LEDGER_OPTIONS, runLedger } from './commands/ledger.js'
import { runLimits } from './commands/limits.js'
import { runModels, runPeers } from './commands/network.js'
import { runConfig } from './commands/node/config.js'
import { runDoctor } from './commands/node/doctor.js'
import { IDENTITY_OPTIONS, identityProblems, runIdentity } from './commands/node/identity.js'
import { runKeys } from './commands/node/keys.js'
import { LOGS_OPTIONS, logsProblems, runLogs } from './commands/node/logs.js'
import { OPEN_OPTIONS, runOpen } from './commands/node/open.js'
import { runStatus } from './commands/node/status.js'
import { runStop } from './commands/node/stop.js'
import { PAUSE_OPTIONS, pauseProblems, runPause, runResume } from './commands/pause.js'
import { peoplePlans } from './commands/people/plans.js'
import { runShare, runUnshare, SHARE_OPTIONS, shareProblems } from './commands/share.js'
import { runTest } from './commands/test.js'
import { EXIT, type CliIo, type CliNeeds, type ControlClient } from './io.js'

/** Where a running node is found. */
const LOCATION: SettingName[] = ['data-dir', 'config']

/** Every limit as `ocf limits NAME=VALUE` takes it. */
const LIMIT_ARGUMENTS = LIMIT_NAMES.map((name) => LIMITS[name].setting.slice('limits.'.length)).join(', ')

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
      help: 'Shows the status of the running node.',
      settings: LOCATION,
      only: LOCATION,
      json: true,
      run: (invocation) => runStatus(client(invocation), invocation),
    },
    {
      name: 'open',
      help: 'Opens the dashboard of the running node in the browser, or prints its link where there is none.',
      settings: LOCATION,
      only: LOCATION,
      options: OPEN_OPTIONS,
      run: (invocation) =>
        runOpen(client(invocation), { own: invocation.own, dataDir: invocation.loaded.settings['data-dir'] }),
    },
    {
      name: 'stop',
      help: 'Stops the running node and waits until it is gone.',
      settings: LOCATION,
      only: LOCATION,
      run: (invocation) => runStop(client(invocation)),
    },
    {
      name: 'logs',
      help: 'Shows the last lines of the running node’s log.',
      settings: LOCATION,
      only: LOCATION,
      json: true,
      options: LOGS_OPTIONS,
      check: logsProblems,
      run: (invocation) => runLogs(client(invocation), invocation),
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
      help: 'Finds what keeps this node, or the path to one peer, from working, and says what to do.',
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
      help: 'Asks a model through the running node and streams the answer; without a text, what is piped in, or a conversation.',
      optionalArgs: ['MODEL', 'TEXT'],
      settings: LOCATION,
      only: LOCATION,
      run: (invocation) => {
        const [model, text] = invocation.args
        return runChat(client(invocation), { model, text })
      },
    },
    ...sharingPlans({ client, location: LOCATION }),
    ...peoplePlans({ client, location: LOCATION }),
    {
      name: 'identity',
      help: 'Shows the running node’s identity, backs it up (backup FILE) or restores one (restore FILE).',
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
      name: 'keys',
      help: 'Lists the API keys of apps, makes one (add NAME) or refuses one from now on (revoke NAME).',
      optionalArgs: ['ACTION', 'NAME'],
      settings: LOCATION,
      only: LOCATION,
      json: true,
      run: (invocation) => {
        const [action, name] = invocation.args
        return runKeys(client(invocation), { action, name, json: invocation.json })
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
  const tolerant = needs.isTolerant === true
  for (const plan of plans) addPlannedCommand(program, plan, { io, tolerant, ...options })
  return program
}

/** The sharing commands: what runs here, what is shared, and with whom. */
function sharingPlans(needs: {
  client: (invocation: Invocation) => { io: CliIo; client: ControlClient }
  /** Where a running node is found. */
  location: readonly SettingName[]
}): CommandPlan[] {
  const { client } = needs
  const location = { settings: needs.location, only: needs.location }
  return [
    {
      name: 'detect',
      help: 'Scans this machine for model servers.',
      ...location,
      json: true,
      run: (invocation) => runDetect(client(invocation), invocation),
    },
    {
      name: 'share',
      help: 'Says which models of a server on this machine may be used and by whom. It is given by its port, as HOST:PORT or as a URL.',
      optionalArgs: ['ADDRESS'],
      ...location,
      json: true,
      options: SHARE_OPTIONS,
      check: shareProblems,
      run: (invocation) => runShare(client(invocation), { ...invocation, address: invocation.args[0] }),
    },
    {
      name: 'unshare',
      help: 'Stops sharing a server.',
      optionalArgs: ['ADDRESS'],
      ...location,
      run: (invocation) => runUnshare(client(invocation), { target: invocation.args[0] }),
    },
    {
      name: 'pause',
      help: 'Pauses sharing: for 15m, 1h or another time, or until it is resumed.',
      optionalArgs: ['TIME'],
      ...location,
      options: PAUSE_OPTIONS,
      check: pauseProblems,
      run: (invocation) => runPause(client(invocation), { time: invocation.args[0], own: invocation.own }),
    },
    {
      name: 'resume',
      help: 'Ends a pause made by hand.',
      ...location,
      run: (invocation) => runResume(client(invocation)),
    },
    {
      name: 'limits',
      help: `Shows or changes what others may use of this machine, and how it is used now: ${LIMIT_ARGUMENTS}, or a setting of the pause.`,
      repeatedArg: 'NAME=VALUE',
      ...location,
      json: true,
      run: (invocation) => runLimits(client(invocation), { changes: invocation.args, json: invocation.json }),
    },
    {
      name: 'ledger',
      help: 'Shows what this machine has served to others.',
      ...location,
      json: true,
      options: LEDGER_OPTIONS,
      run: (invocation) => runLedger(client(invocation), { json: invocation.json, csv: invocation.own.csv === true }),
    },
    {
      name: 'test',
      help: 'Sends one real request of one token to a model and shows the time of each step.',
      args: ['MODEL'],
      ...location,
      json: true,
      run: (invocation) => runTest(client(invocation), { model: invocation.args[0] ?? '', json: invocation.json }),
    },
  ]
}

/** `ocf version`: this program, its runtime and the platform. */
function runVersion(needs: { io: Pick<CliIo, 'stdout'> }, options: { json: boolean }): number {
  const facts = { ocf: VERSION, node: process.versions.node, platform: `${process.platform}-${process.arch}` }
  const text = options.json ? JSON.stringify(facts, null, 2) : `ocf ${facts.ocf}\nnode ${facts.node}\n${facts.platform}`
  needs.io.stdout.write(`${text}\n`)
  return EXIT.ok
}

import { VISIBILITIES } from '#shared/contract/sharing/visibility.js'
import { LIMIT_NAMES, LIMITS } from '#shared/limits.js'
import type { SettingName } from '../../config/index.js'
import type { CommandPlan, Invocation } from '../command-plan.js'
import type { CliHandlers, CliIo, ControlClient } from '../io.js'
import { runChat } from './chat/chat.js'
import { runDetect } from './detect.js'
import { runModelsOnDisk } from './engine/models-on-disk.js'
import { LAUNCH_OPTIONS, launchProblems, runLaunch } from './launch/launch.js'
import { TOOL_NAMES } from './launch/tools.js'
import { LEDGER_OPTIONS, runLedger } from './ledger.js'
import { runLimits } from './limits.js'
import { runModels } from './models.js'
import { PAUSE_OPTIONS, pauseProblems, runPause, runResume } from './pause.js'
import { runShare, runUnshare, SHARE_OPTIONS, shareProblems } from './share.js'
import { runTest } from './test.js'

interface PlanNeeds {
  /** For when no node runs. */
  tools: CliHandlers['engineTools']
  client: (invocation: Invocation) => { io: CliIo; client: ControlClient }
  /** Where a running node is found. */
  location: readonly SettingName[]
}

/** Every limit as `ocf limits NAME=VALUE` takes it. */
const LIMIT_ARGUMENTS = LIMIT_NAMES.map((name) => LIMITS[name].setting.slice('limits.'.length)).join(', ')

/** The commands that use models. */
export function usePlans({ client, location: names, tools }: PlanNeeds): CommandPlan[] {
  const location = { group: 'use', settings: names, only: names, common: [] } as const
  const withFolders: readonly SettingName[] = [...names, 'engine.folders']
  return [
    {
      name: 'models',
      help: 'Lists the models that can be used now.',
      ...{ ...location, settings: withFolders, only: withFolders },
      json: true,
      options: [
        ['--on-disk', 'Looks for model files in the folders of Ollama, LM Studio, Hugging Face and llama.cpp.'],
      ],
      run: (invocation) =>
        invocation.own.onDisk === true
          ? runModelsOnDisk({ ...client(invocation), tools }, invocation)
          : runModels(client(invocation), invocation),
    },
    {
      name: 'chat',
      summary: 'Asks a model, or talks to it.',
      help: 'Asks a model through the running node and streams the answer; without a text, what is piped in, or a conversation.',
      examples: ['ocf chat llama3.2 "What is a node table?"', 'git diff | ocf chat llama3.2', 'ocf chat llama3.2'],
      optionalArgs: ['MODEL', 'TEXT'],
      values: { MODEL: 'models' },
      ...location,
      run: (invocation) => {
        const [model, text] = invocation.args
        return runChat(client(invocation), { model, text })
      },
    },
    {
      name: 'launch',
      summary: 'Starts Claude Code, Codex, OpenCode or aider with a model.',
      help: `Starts a coding tool with a model of this node: ${TOOL_NAMES.join(', ')}. What you configured for it stays as it is.`,
      examples: [
        'ocf launch claude',
        'ocf launch codex --model qwen3:8b -- exec "Explain this folder"',
        'ocf launch opencode --print',
      ],
      args: ['TOOL'],
      passesOn: true,
      values: { TOOL: TOOL_NAMES, '--model': 'models' },
      ...location,
      options: LAUNCH_OPTIONS,
      check: launchProblems,
      run: (invocation) => {
        const { args, own, passed, loaded } = invocation
        const dataDir = loaded.settings['data-dir']
        return runLaunch(client(invocation), { tool: args[0] ?? '', passed, own, dataDir })
      },
    },
    {
      name: 'test',
      summary: 'Asks a model for one token and shows the times.',
      help: 'Sends one real request of one token to a model and shows the time of each step.',
      args: ['MODEL'],
      values: { MODEL: 'models' },
      ...location,
      json: true,
      run: (invocation) => runTest(client(invocation), { model: invocation.args[0] ?? '', json: invocation.json }),
    },
  ]
}

/** The sharing commands: what runs here, what is shared, and with whom. */
export function sharingPlans({ client, location: names }: Omit<PlanNeeds, 'tools'>): CommandPlan[] {
  const location = { group: 'share', settings: names, only: names, common: [] } as const
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
      summary: 'Shares models of a server on this machine.',
      help: 'Says which models of a server on this machine may be used and by whom. It is given by its port, as HOST:PORT or as a URL.',
      examples: [
        'ocf share 11434',
        'ocf share 11434 --model llama3.2 --with trusted',
        'ocf share 11434 --all --with everyone',
      ],
      optionalArgs: ['ADDRESS'],
      values: { '--with': VISIBILITIES },
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
      summary: 'Pauses sharing.',
      help: 'Pauses sharing: for 15m, 1h or another time, or until it is resumed.',
      optionalArgs: ['TIME'],
      values: { TIME: ['15m', '1h', '8h', 'until-resume'] },
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
      summary: 'Shows or changes what others may use.',
      help: `Shows or changes what others may use of this machine, and how it is used now: ${LIMIT_ARGUMENTS}, or a setting of the pause.`,
      examples: ['ocf limits', 'ocf limits concurrent=2 requests-per-minute=30', 'ocf limits concurrent='],
      repeatedArg: 'NAME=VALUE',
      values: { 'NAME=VALUE': 'limits' },
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
  ]
}

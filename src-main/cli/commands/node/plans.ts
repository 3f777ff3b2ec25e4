import { SETTING_NAMES, type SettingName } from '../../../config/index.js'
import type { CommandPlan, Invocation } from '../../command-plan.js'
import type { CliIo, ControlClient } from '../../io.js'
import { runPeers } from '../peers.js'
import { runCompletion, SHELLS } from './completion.js'
import { runConfig } from './config.js'
import { runDoctor } from './doctor.js'
import { IDENTITY_OPTIONS, identityProblems, runIdentity } from './identity.js'
import { runKeys } from './keys.js'
import { LOG_LEVELS, LOGS_OPTIONS, logsProblems, runLogs } from './logs.js'
import { OPEN_OPTIONS, runOpen } from './open.js'
import { runService, SERVICE_ACTIONS } from './service/service.js'
import { runStatus } from './status.js'
import { runStop } from './stop.js'
import { runVersion } from './version.js'

/** The commands that look after a node. */
export function nodePlans(needs: {
  io: CliIo
  client: (invocation: Invocation) => { io: CliIo; client: ControlClient }
  /** Where a running node is found. */
  location: readonly SettingName[]
  /** Every command there is, for shells that complete them. */
  plans: () => CommandPlan[]
}): CommandPlan[] {
  const { io, client } = needs
  const location = { settings: needs.location, only: needs.location, common: [] }
  const all = { settings: SETTING_NAMES, common: needs.location }
  return [
    {
      name: 'status',
      group: 'run',
      help: 'Shows the status of the running node.',
      ...location,
      json: true,
      run: (invocation) => runStatus(client(invocation), invocation),
    },
    {
      name: 'open',
      group: 'run',
      summary: 'Opens the dashboard, or prints its link.',
      help: 'Opens the dashboard of the running node in the browser, or prints its link where there is none.',
      ...location,
      options: OPEN_OPTIONS,
      run: (invocation) =>
        runOpen(client(invocation), { own: invocation.own, dataDir: invocation.loaded.settings['data-dir'] }),
    },
    {
      name: 'stop',
      group: 'run',
      summary: 'Stops the running node.',
      help: 'Stops the running node and waits until it is gone.',
      ...location,
      run: (invocation) => runStop(client(invocation)),
    },
    {
      name: 'service',
      group: 'run',
      summary: 'Has the system run the node from login on.',
      help: 'Has the system run the node from login on (install), no longer (remove), or shows whether it does (status). Settings of the node go behind --.',
      examples: ['ocf service install', 'ocf service install -- --mode local', 'ocf service remove'],
      args: ['ACTION'],
      passesOn: true,
      values: { ACTION: SERVICE_ACTIONS },
      ...location,
      run: ({ args, passed, loaded }) =>
        runService(
          { io },
          {
            action: args[0] ?? '',
            flags: passed,
            dataDir: loaded.settings['data-dir'],
            config: loaded.settings.config,
          },
        ),
    },
    {
      name: 'logs',
      group: 'care',
      summary: 'Shows the log of the running node.',
      help: 'Shows the last lines of the running node’s log.',
      ...location,
      json: true,
      options: LOGS_OPTIONS,
      values: { '--level': LOG_LEVELS },
      check: logsProblems,
      run: (invocation) => runLogs(client(invocation), invocation),
    },
    {
      name: 'peers',
      group: 'people',
      summary: 'Lists the peers that are known.',
      help: 'Lists the peers the running node knows.',
      ...location,
      json: true,
      run: (invocation) => runPeers(client(invocation), invocation),
    },
    {
      name: 'doctor',
      group: 'care',
      summary: 'Finds what keeps this node from working.',
      help: 'Finds what keeps this node, or the path to one peer, from working, and says what to do. The peer is given by its id, the end of it or its name.',
      optionalArgs: ['PEER'],
      values: { PEER: 'peers' },
      ...all,
      json: true,
      run: (invocation) => {
        const { json, args, loaded } = invocation
        return runDoctor(client(invocation), { json, peer: args[0], loaded })
      },
    },
    {
      name: 'identity',
      group: 'care',
      summary: 'Shows, backs up or restores the identity.',
      help: 'Shows the running node’s identity, backs it up (backup FILE) or restores one (restore FILE).',
      optionalArgs: ['ACTION', 'FILE'],
      values: { ACTION: ['backup', 'restore'] },
      ...location,
      options: IDENTITY_OPTIONS,
      check: identityProblems,
      run: (invocation) => {
        const [action, file] = invocation.args
        return runIdentity(client(invocation), { action, file, own: invocation.own })
      },
    },
    {
      name: 'keys',
      group: 'care',
      summary: 'Manages the API keys of apps.',
      help: 'Lists the API keys of apps, makes one (add NAME) or refuses one from now on (revoke NAME).',
      optionalArgs: ['ACTION', 'NAME'],
      values: { ACTION: ['list', 'add', 'revoke'] },
      ...location,
      json: true,
      run: (invocation) => {
        const [action, name] = invocation.args
        return runKeys(client(invocation), { action, name, json: invocation.json })
      },
    },
    {
      name: 'config',
      group: 'care',
      summary: 'Prints every setting and where it came from.',
      help: 'Prints every setting with its value and where that came from.',
      ...all,
      json: true,
      run: ({ loaded, json }) => runConfig({ io, settings: loaded.settings, origins: loaded.origins }, { json }),
    },
    {
      name: 'completion',
      group: 'care',
      summary: 'Prints the completion of a shell.',
      help: 'Prints the completion of a shell (bash, zsh or fish). What is behind -- is completed, which is how the shell asks.',
      examples: [
        'source <(ocf completion bash)      # in ~/.bashrc',
        'source <(ocf completion zsh)       # in ~/.zshrc, after compinit',
        'ocf completion fish | source       # in ~/.config/fish/config.fish',
      ],
      optionalArgs: ['SHELL'],
      passesOn: true,
      values: { SHELL: SHELLS },
      ...location,
      run: (invocation) =>
        runCompletion(
          { ...client(invocation), plans: needs.plans() },
          { shell: invocation.args[0], words: invocation.passed },
        ),
    },
    {
      name: 'version',
      group: 'care',
      summary: 'Prints versions.',
      help: 'Prints the versions of this program and its runtime.',
      settings: [],
      only: [],
      json: true,
      run: ({ json }) => runVersion({ io }, { json }),
    },
  ]
}

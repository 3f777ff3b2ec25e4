import { LIMIT_NAMES, LIMITS } from '#shared/limits.js'
import type { SettingName } from '../config/index.js'
import type { CommandPlan, Invocation } from './command-plan.js'
import { runDetect } from './commands/detect.js'
import { LEDGER_OPTIONS, runLedger } from './commands/ledger.js'
import { runLimits } from './commands/limits.js'
import { PAUSE_OPTIONS, pauseProblems, runPause, runResume } from './commands/pause.js'
import { runShare, runUnshare, SHARE_OPTIONS, shareProblems } from './commands/share.js'
import { runTest } from './commands/test.js'
import type { CliIo, ControlClient } from './io.js'

/** Every limit as `ocf limits NAME=VALUE` takes it. */
const NAMES = LIMIT_NAMES.map((name) => LIMITS[name].setting.slice('limits.'.length)).join(', ')

/** The donor's commands: what runs here, what is given of it, and to whom. */
export function sharingPlans(needs: {
  client: (invocation: Invocation) => { io: CliIo; client: ControlClient }
  /** Where a running node is found. */
  location: readonly SettingName[]
}): CommandPlan[] {
  const { client } = needs
  const place = { settings: needs.location, only: needs.location }
  return [
    {
      name: 'detect',
      help: 'Looks for model servers on this machine.',
      ...place,
      json: true,
      run: (invocation) => runDetect(client(invocation), invocation),
    },
    {
      name: 'share',
      help: 'Shares the models of a server on this machine.',
      optionalArgs: ['PORT'],
      ...place,
      options: SHARE_OPTIONS,
      check: shareProblems,
      run: (invocation) => runShare(client(invocation), { port: invocation.args[0], own: invocation.own }),
    },
    {
      name: 'unshare',
      help: 'Stops sharing a server.',
      optionalArgs: ['PORT'],
      ...place,
      run: (invocation) => runUnshare(client(invocation), { target: invocation.args[0] }),
    },
    {
      name: 'pause',
      help: 'Pauses sharing: for 15m, 1h or another time, or until it is resumed.',
      optionalArgs: ['TIME'],
      ...place,
      options: PAUSE_OPTIONS,
      check: pauseProblems,
      run: (invocation) => runPause(client(invocation), { time: invocation.args[0], own: invocation.own }),
    },
    {
      name: 'resume',
      help: 'Ends a pause made by hand.',
      ...place,
      run: (invocation) => runResume(client(invocation)),
    },
    {
      name: 'limits',
      help: `Tells what others may use of this machine and how it is used now, or changes it: ${NAMES}, or a setting of the pause.`,
      repeatedArg: 'NAME=VALUE',
      ...place,
      json: true,
      run: (invocation) => runLimits(client(invocation), { changes: invocation.args, json: invocation.json }),
    },
    {
      name: 'ledger',
      help: 'Tells what this machine gave to others.',
      ...place,
      json: true,
      options: LEDGER_OPTIONS,
      run: (invocation) => runLedger(client(invocation), { json: invocation.json, csv: invocation.own.csv === true }),
    },
    {
      name: 'test',
      help: 'Sends one real request of one token to a model and tells the time of each leg.',
      args: ['MODEL'],
      ...place,
      json: true,
      run: (invocation) => runTest(client(invocation), { model: invocation.args[0] ?? '', json: invocation.json }),
    },
  ]
}

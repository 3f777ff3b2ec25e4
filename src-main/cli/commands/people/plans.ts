import type { SettingName, SettingProblem } from '../../../config/index.js'
import type { CommandPlan, Invocation } from '../../command-plan.js'
import type { CliIo, ControlClient } from '../../io.js'
import { runBlock, runUnblock } from './block.js'
import { INVITE_OPTIONS, inviteProblems, runInvite } from './invite.js'
import { JOIN_OPTIONS, joinProblems, NETWORK_OPTIONS, runJoin, runNetwork } from './join.js'
import { PAIR_OPTIONS, pairProblems, runPair } from './pair.js'
import { runName, runPeople, runTrust, runUntrust } from './people.js'

/** The commands about whom the owner trusts. */
export function peoplePlans(needs: {
  client: (invocation: Invocation) => { io: CliIo; client: ControlClient }
  /** Where a running node is found. */
  location: readonly SettingName[]
}): CommandPlan[] {
  const { client } = needs
  const location = { group: 'people', settings: needs.location, only: needs.location, common: [] } as const
  return [
    {
      name: 'invite',
      summary: 'Makes an invite.',
      help: 'Makes an invite: who comes with it and this node trust each other.',
      ...location,
      json: true,
      options: INVITE_OPTIONS,
      check: inviteProblems,
      run: (invocation) => runInvite(client(invocation), { own: invocation.own, json: invocation.json }),
    },
    {
      name: 'join',
      summary: 'Joins with an invite, an address or a network.',
      help: 'Joins with an invite, or by an address, a host, a URL, or the name or key of a network. Without WHAT, or with -, it asks and does not show it: best for invites and keys, as other users of this machine can read arguments.',
      repeatedArg: 'WHAT',
      ...location,
      options: JOIN_OPTIONS,
      check: joinProblems,
      run: (invocation) => runJoin(client(invocation), { words: invocation.args, own: invocation.own }),
    },
    {
      name: 'network',
      summary: 'Shows, founds or leaves a network.',
      help: 'Shows which network this node is in; makes a private one (create NAME), prints its key (key), or leaves what was joined (leave, leave WHAT).',
      optionalArgs: ['ACTION', 'NAME'],
      values: { ACTION: ['create', 'key', 'leave'] },
      ...location,
      json: true,
      options: NETWORK_OPTIONS,
      run: (invocation) => runNetwork(client(invocation), invocation),
    },
    {
      name: 'leave',
      summary: 'Leaves what was joined.',
      help: 'Leaves one address that was joined, or the network and all of them.',
      optionalArgs: ['WHAT'],
      ...location,
      options: NETWORK_OPTIONS,
      run: (invocation) => runNetwork(client(invocation), { ...invocation, args: ['leave', ...invocation.args] }),
    },
    {
      name: 'people',
      help: 'Lists the peers you trust.',
      ...location,
      json: true,
      run: (invocation) => runPeople(client(invocation), invocation),
    },
    {
      name: 'pair',
      summary: 'Pairs with a computer on the local network.',
      help: 'Lists the nodes on your local network, or pairs with one: you both compare a code, and then trust each other.',
      optionalArgs: ['WHO'],
      ...location,
      json: true,
      options: PAIR_OPTIONS,
      check: pairProblems,
      run: (invocation) => runPair(client(invocation), { ...invocation, who: invocation.args[0] }),
    },
    {
      name: 'trust',
      help: 'Trusts a peer by its id.',
      args: ['PEER'],
      values: { PEER: 'peers' },
      ...location,
      options: [['--name [name]', 'What it is called here.']],
      check: ({ name }): SettingProblem[] =>
        name === true ? [{ source: 'flag --name', sentence: 'It needs a value.' }] : [],
      run: (invocation) => runTrust(client(invocation), { peer: invocation.args[0] ?? '', own: invocation.own }),
    },
    {
      name: 'untrust',
      summary: 'Stops trusting a peer.',
      help: 'Stops trusting a peer, given by its id or name; what runs between you ends at once.',
      args: ['PEER'],
      values: { PEER: 'peers' },
      ...location,
      run: (invocation) => runUntrust(client(invocation), { peer: invocation.args[0] ?? '' }),
    },
    {
      name: 'block',
      summary: 'Refuses what a peer asks.',
      help: 'Refuses what a peer asks, given by its id, the end of it or its name; without a peer, lists those that are blocked.',
      examples: ['ocf block …qQ77xZ', 'ocf block', 'ocf unblock …qQ77xZ'],
      optionalArgs: ['PEER'],
      values: { PEER: 'peers' },
      ...location,
      run: (invocation) => runBlock(client(invocation), { peer: invocation.args[0] }),
    },
    {
      name: 'unblock',
      help: 'No longer refuses what a peer asks.',
      args: ['PEER'],
      values: { PEER: 'peers' },
      ...location,
      run: (invocation) => runUnblock(client(invocation), { peer: invocation.args[0] ?? '' }),
    },
    {
      name: 'name',
      summary: 'Shows or changes names.',
      help: 'Shows or changes what this node calls itself (NAME), or what a trusted peer is called here (PEER NAME).',
      optionalArgs: ['PEER', 'NAME'],
      values: { PEER: 'peers' },
      ...location,
      run: (invocation) => runName(client(invocation), invocation),
    },
  ]
}

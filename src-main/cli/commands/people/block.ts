import { AppError } from '#shared/errors.js'
import { quote } from '../../../config/index.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { findPeer, readPeerNames } from '../../peer-names.js'

interface BlockNeeds {
  io: CliIo
  client: ControlClient
}

/** `ocf block [PEER]`: refuses what a peer asks from now on; without a peer, lists those that are refused. */
export async function runBlock(needs: BlockNeeds, options: { peer: string | undefined }): Promise<number> {
  const { io, client } = needs
  const { blockedPeers } = (await client.call('limits.get', {})).limits
  const { nameOf, labelOf } = await readPeerNames(client)
  if (options.peer === undefined) {
    const lines = blockedPeers.map((peerId) => `${printable([nameOf(peerId), peerId].join(' ').trim())}\n`)
    io.stdout.write(lines.length === 0 ? 'No peer is blocked.\n' : lines.join(''))
    return EXIT.ok
  }
  const peerId = await findPeer(client, options.peer)
  const label = printable(labelOf(peerId))
  if (blockedPeers.includes(peerId)) {
    io.stdout.write(`${label} is blocked already.\n`)
    return EXIT.ok
  }
  await save(needs, [...blockedPeers, peerId])
  io.stdout.write(`${label} is blocked: this node refuses what it asks. \`ocf unblock ${peerId}\` takes that back.\n`)
  return EXIT.ok
}

/** `ocf unblock PEER` */
export async function runUnblock(needs: BlockNeeds, options: { peer: string }): Promise<number> {
  const { io, client } = needs
  const { blockedPeers } = (await client.call('limits.get', {})).limits
  const peerId = await findPeer(client, options.peer)
  if (!blockedPeers.includes(peerId)) {
    throw new AppError('not_found', `${quote(options.peer)} is not blocked. \`ocf block\` lists those that are.`)
  }
  await save(
    needs,
    blockedPeers.filter((one) => one !== peerId),
  )
  io.stdout.write(`${printable((await readPeerNames(client)).labelOf(peerId))} is no longer blocked.\n`)
  return EXIT.ok
}

async function save({ io, client }: BlockNeeds, blockedPeers: string[]): Promise<void> {
  const { restartNeeded } = await client.call('limits.set', { blockedPeers })
  if (!restartNeeded) return
  io.stderr.write(
    'A flag or an environment variable sets limits.block-peers; the change takes effect once the node starts without it.\n',
  )
}

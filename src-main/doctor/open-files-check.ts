import type { Check } from '#shared/contract/node/doctor.js'
import { numberText } from '#shared/figures.js'
import { fine, finding } from './check.js'
import type { OpenFilesFact } from './facts.js'

/** With less, a few hundred connections fill a node. */
const ENOUGH = 1_024
/** Parts of the limit in use from which it is worth a word. */
const NEARLY_ALL = 0.9
/** Followers of the doctor need no news for every connection. */
const ROUND_TO = 100

const FIX =
  'Raise the limit and start the node again: `ulimit -n 4096` in the shell, `LimitNOFILE=4096` in a systemd unit, ' +
  '`--ulimit nofile=4096` for a container.'

/** How many files and sockets this process may open, and what that means for each listener. */
export function checkOpenFiles({ limit, inUse, shares }: OpenFilesFact): Check {
  const id = 'open-files'
  const room =
    `At a time the gateway takes ${numberText(shares.gateway)} connections, the dashboard ${numberText(shares.control)} ` +
    `and other nodes ${numberText(shares.peers)}; silent and idle ones are closed for new ones.`
  if (limit === undefined) return fine(id, 'There is no known limit of open files.', room)
  const fact = `This process may open ${numberText(limit)} files and sockets${usage(inUse)}.`
  if (inUse !== undefined && inUse >= limit * NEARLY_ALL)
    return finding(id, 'warn', { fact, meaning: 'New connections and files may fail.', fix: FIX })
  return limit < ENOUGH ? finding(id, 'warn', { fact, meaning: room, fix: FIX }) : fine(id, fact, room)
}

const usage = (inUse: number | undefined): string =>
  inUse === undefined ? '' : `; fewer than ${numberText((Math.floor(inUse / ROUND_TO) + 1) * ROUND_TO)} are in use`

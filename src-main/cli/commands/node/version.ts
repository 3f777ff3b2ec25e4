import { VERSION } from '../../../base/version.js'
import { EXIT, type CliIo } from '../../io.js'

/** `ocf version`: this program, its runtime and the platform. */
export function runVersion(needs: { io: Pick<CliIo, 'stdout'> }, options: { json: boolean }): number {
  const facts = { ocf: VERSION, node: process.versions.node, platform: `${process.platform}-${process.arch}` }
  const text = options.json ? JSON.stringify(facts, null, 2) : `ocf ${facts.ocf}\nnode ${facts.node}\n${facts.platform}`
  needs.io.stdout.write(`${text}\n`)
  return EXIT.ok
}

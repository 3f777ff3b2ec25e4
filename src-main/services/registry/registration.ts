import type { Visibility } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import { SETTINGS } from '../../config/index.js'
import type { RegistrationInput, ServiceRegistration } from '../index.js'
import { isSharedPath } from '../sharing/shared-paths.js'
import { IDENTITY_GROUP_BUDGET_BYTES, parseIdentityGroup, sizeOf } from './published-models.js'
import { authorityOf, isHost, isLoopbackHost } from './target.js'

const DEFAULTS = {
  host: SETTINGS['service.host'].default,
  healthPath: SETTINGS['service.health-path'].default,
  healthRetries: SETTINGS['service.health-retries'].default,
  healthIntervalMs: SETTINGS['service.health-interval'].default,
  identityGroups: [],
  sharedPaths: [],
  visibility: 'everyone',
  visibilities: new Map<string, Visibility>(),
  aliases: new Map<string, string>(),
  models: 'all',
  except: [],
  apiKey: undefined,
  basePath: '',
} as const satisfies Partial<ServiceRegistration>

/** The name whose servers tell their models themselves. */
export const LLM = 'llm'

/** The id a registration gets: `llm@127.0.0.1:11434`. */
export function serviceIdOf(registration: Pick<ServiceRegistration, 'name' | 'host' | 'port'>): string {
  return `${registration.name}@${authorityOf(registration)}`
}

/** What is registered, in a few words for a log line or a page; without the key. */
export function describeRegistration(registration: ServiceRegistration): string {
  const { visibility, visibilities } = registration
  const isPrivate = [visibility, ...visibilities.values()].every((one) => one === 'me')
  return `${registration.name} at ${authorityOf(registration)}${isPrivate ? ' (this machine only)' : ''}`
}

/**
 * Fills in the defaults and checks everything at once.
 * @throws AppError `invalid_service`, naming every fault
 */
export function parseRegistration(
  input: RegistrationInput,
  policy: { allowRemoteTarget: boolean },
): ServiceRegistration {
  const given = Object.fromEntries(Object.entries<unknown>(input).filter(([, value]) => value !== undefined))
  const registration: ServiceRegistration = { ...DEFAULTS, ...(given as unknown as RegistrationInput) }
  const faults = faultsOf(registration, policy)
  if (faults.length > 0) throw new AppError('invalid_service', `The service can't be registered: ${faults.join('; ')}.`)
  return registration
}

function faultsOf(registration: ServiceRegistration, policy: { allowRemoteTarget: boolean }): string[] {
  const { name, host, port, healthPath } = registration
  const faults: string[] = []
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    faults.push(`the name "${name}" must be 1 to 64 letters, digits, ".", "_" or "-"`)
  }
  if (!isHost(host)) {
    faults.push(`the host "${host}" is neither an address nor a host name`)
  } else if (!isLoopbackHost(host) && !policy.allowRemoteTarget) {
    faults.push(`the host "${host}" is not this machine; set service.allow-remote-target if that is what you want`)
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) faults.push(`the port ${port} must be from 1 to 65535`)
  if (!/^\/[\x21-\x7e]*$/.test(healthPath)) faults.push(`the health path "${healthPath}" must begin with "/"`)
  if (!/^(?:\/[\w-]+)*$/.test(registration.basePath)) faults.push(`the base path "${registration.basePath}" is none`)
  if (!Number.isInteger(registration.healthRetries) || registration.healthRetries < 0) {
    faults.push('the number of health retries must be a whole number')
  }
  if (!(registration.healthIntervalMs > 0)) faults.push('the health interval must be more than 0')
  if (sizeOf(registration.identityGroups) > IDENTITY_GROUP_BUDGET_BYTES) {
    faults.push(`the identity groups take more than the ${IDENTITY_GROUP_BUDGET_BYTES} bytes a row has for them`)
  }
  for (const { method, path } of registration.sharedPaths) {
    if (!isSharedPath(method, path)) faults.push(`"${method} ${path}" is not a path to share`)
  }
  for (const entry of registration.identityGroups) {
    const group = parseIdentityGroup(entry)
    if (group.kind === 'invalid') faults.push(`the identity group "${entry}" ${group.reason}`)
  }
  return faults
}

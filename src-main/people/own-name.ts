import { hostname, userInfo } from 'node:os'
import type { OwnName } from '#shared/contract/people/people.js'
import { cleanName } from '#shared/person-names.js'
import type { LiveSettings } from '../config/index.js'

/** Accounts that say nothing of who uses them. */
const NO_NAMES = new Set(['root', 'admin', 'administrator', 'user', 'ubuntu', 'debian', 'pi', 'node', 'guest', 'ocf'])

/** The setting `name` with its default: the first name in this account's name, or else the computer's. */
export class OwnNameSetting {
  readonly #live: Pick<LiveSettings, 'current' | 'source'>
  readonly #default: string

  constructor(live: Pick<LiveSettings, 'current' | 'source'>, system: { user: string; host: string } = systemNames()) {
    this.#live = live
    const [first = ''] = cleanName(system.user).split(/[ ._-]/)
    const [host = ''] = system.host.split('.')
    this.#default = first === '' || NO_NAMES.has(first.toLowerCase()) ? cleanName(host) : first
  }

  get current(): OwnName {
    const { origin } = this.#live.source.list().find(({ name }) => name === 'name') ?? { origin: 'default' }
    const isDefault = origin === 'default'
    return {
      name: isDefault ? this.#default : cleanName(this.#live.current.name),
      isDefault,
      editable: isDefault || origin === 'file',
    }
  }

  /** An empty name tells none; null goes back to the default. @throws AppError `invalid_settings` */
  async set(name: string | null): Promise<OwnName> {
    await this.#live.source.save('name', name === null ? null : cleanName(name))
    return this.current
  }
}

function systemNames(): { user: string; host: string } {
  try {
    return { user: userInfo().username, host: hostname() }
  } catch {
    return { user: '', host: hostname() } // An account without an entry, as in some containers.
  }
}

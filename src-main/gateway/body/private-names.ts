import { homedir, userInfo } from 'node:os'
import { type LocalService, publicIdOf } from '../../services/index.js'
import { type HiddenName, NameFilter } from './name-filter.js'

/** Whose machine this is. */
export interface Owner {
  /** The home directory; undefined where there is none. */
  home: string | undefined
  /** The name the system knows the person by. */
  user: string | undefined
}

/** Shown for a folder: it has no public name. */
const FOLDER = '…'

/** Folders that most machines have, and users of images and live systems: they tell nothing of the owner. */
const USUAL_NAMES: ReadonlySet<string> = new Set(
  `bin boot dev etc home lib lib64 media mnt opt proc root run sbin snap srv sys tmp usr var local share cache .cache
  users volumes library applications private system windows programdata
  program-files program-files-(x86) documents-and-settings public shared default
  app data model models workspace content user ubuntu debian node pi ec2-user`.split(/\s+/),
)

const isUsual = (name: string): boolean => USUAL_NAMES.has(name.toLowerCase().replaceAll(' ', '-'))

/** A single folder below the root is hidden from this length on: `/v2` would be found where it is none. */
const MIN_SINGLE_LENGTH = 4

/** What a path begins with; undefined for one that begins nowhere in particular. */
const ROOT = /^(?:[A-Za-z]:[/\\]+|[/\\]+|~[/\\]+)/

/** Folders of people, wherever they are mounted. */
const PERSON = /(?:^|[/\\])(?:home|users|documents and settings)[/\\]+([^/\\]+)/i

const filters = new WeakMap<LocalService['serverModelIds'], NameFilter>()

/**
 * What no peer may read in an answer of a service: ids that are paths on the owner's disk, their folders and, of a model
 * server, the owner's home. An id is shown as the name the network knows, a folder as `…`.
 */
export function privateNamesOf(service: Pick<LocalService, 'name' | 'serverModelIds'>): NameFilter {
  let filter = filters.get(service.serverModelIds)
  if (filter === undefined) {
    const isModelServer = service.name === 'llm' || hasPrivateIds(service)
    filter = new NameFilter(isModelServer ? hiddenNames(service.serverModelIds.values(), readOwner()) : [])
    filters.set(service.serverModelIds, filter)
  }
  return filter
}

/** Whether some id of this service's own server is a path. */
export function hasPrivateIds({ serverModelIds }: Pick<LocalService, 'serverModelIds'>): boolean {
  return serverModelIds.size > 0 && [...serverModelIds.values()].some((id) => publicIdOf(id) !== id)
}

/** The names behind {@link privateNamesOf}, for a server that has these ids and an owner. */
export function hiddenNames(serverIds: Iterable<string>, owner: Owner): HiddenName[] {
  const ids = [...new Set(serverIds)].filter((id) => publicIdOf(id) !== id)
  const paths = ids.flatMap(pathsOf)
  const home = owner.home === undefined ? [] : foldersOf(`${owner.home}/x`)
  const people = new Set(
    [owner.user, ...[owner.home ?? '', ...paths].map((path) => PERSON.exec(path)?.[1])].filter(
      (name) => name !== undefined && !isUsual(name),
    ),
  )
  const names = [
    ...paths.flatMap(foldersOf),
    ...home,
    ...[...people].flatMap((name) => [`/home/${name}`, `/Users/${name}`, `/Documents and Settings/${name}`]),
  ]
  return [
    ...ids.flatMap((id) => pathsOf(id).map((name) => ({ name, shown: publicIdOf(id) }))),
    ...[...new Set(names)].map((name) => ({ name, shown: FOLDER })),
  ]
}

/** An id, and the path in it where it is a `file:` URL. */
function pathsOf(id: string): string[] {
  const url = /^file:(.*)$/is.exec(id)
  return url === null ? [id] : [id, decoded(url[1] ?? '').replace(/^[/\\]+(?=[A-Za-z]:)/, '')]
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    if (error instanceof URIError) return path
    throw error
  }
}

/** The folders above a path, from the first that tells something of the owner. */
function foldersOf(path: string): string[] {
  const root = ROOT.exec(path)?.[0]
  if (root === undefined) return []
  const names = path
    .slice(root.length)
    .split(/[/\\]+/)
    .filter((name) => name !== '')
  const folders = names.slice(0, -1).map((_, at) => names.slice(0, at + 1))
  return folders.filter((folder) => isTelling(root, folder)).map((folder) => root + folder.join('/'))
}

function isTelling(root: string, [first = '', ...rest]: string[]): boolean {
  if (rest.length > 0) return [first, ...rest].some((name) => !isUsual(name))
  return !isUsual(first) && (/^[A-Za-z~]/.test(root) || first.length >= MIN_SINGLE_LENGTH)
}

function readOwner(): Owner {
  return { home: orUndefined(homedir), user: orUndefined(() => userInfo().username) }
}

/** Both throw for a user that the system does not know. */
function orUndefined(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    // Then there is no name to hide.
    return undefined
  }
}

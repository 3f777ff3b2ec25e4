import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isMap, isScalar, parseDocument, type Document } from 'yaml'
import { AppError } from '#shared/errors.js'
import { writtenValue } from './settings-table.js'
import type { SettingName, Settings } from './settings.js'

/** New values of some settings, by name; undefined takes one out of the file. */
export type SettingChanges = { readonly [Name in SettingName]?: Settings[Name] | undefined }

/**
 * Writes settings into a settings file; comments and everything else stay. The file (mode 0600) changes as a whole or
 * not at all. Throws `invalid_settings` for a file that is no YAML or can't be written.
 */
export function writeSettings(file: string, changes: SettingChanges): void {
  const path = realPath(file)
  const text = textOf(path)
  const values = (Object.entries(changes) as [SettingName, Settings[SettingName]][]).map(([name, value]): Written => [
    name,
    value === undefined ? undefined : writtenValue(name, value),
  ])
  replaceFile(path, path.endsWith('.json') ? changedJson(path, text, values) : changedYaml(path, text, values))
}

/** A setting as it is to stand in the file. */
type Written = [name: SettingName, value: ReturnType<typeof writtenValue>]

function changedYaml(path: string, text: string, values: readonly Written[]): string {
  const document = parseDocument(text)
  // A file of one `null` says as little as an empty one.
  if (isScalar(document.contents) && document.contents.value === null) document.contents = null
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) throw unreadable(path)
  for (const [name, value] of values) change(document, name, value)
  // Without contents it would be written as `null`.
  const isEmpty = !isMap(document.contents) || document.contents.items.length === 0
  return isEmpty ? comments(document) : document.toString()
}

function change(document: Document.Parsed, name: SettingName, value: unknown): void {
  const found = pathsOf(name).filter((keys) => document.hasIn(keys))
  if (value === undefined) {
    for (const keys of found) takeOut(document, keys)
  } else {
    document.setIn(found[0] ?? newPath(document, name), value)
    for (const keys of found.slice(1)) takeOut(document, keys)
  }
}

function changedJson(path: string, text: string, values: readonly Written[]): string {
  const document = parseDocument(text === '' ? '{}' : text)
  if (document.errors.length > 0 || !isMap(document.contents)) throw unreadable(path)
  for (const [name, value] of values) {
    for (const keys of pathsOf(name)) document.deleteIn(keys)
    if (value !== undefined) document.setIn([name], value)
  }
  return `${JSON.stringify(document.toJS(), null, 2)}\n`
}

/** Every way the key may stand in the file: `a.b.c`, `a: {b.c}`, `a.b: {c}`, `a: {b: {c}}`. */
function pathsOf(name: string): string[][] {
  const paths = [[name]]
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    for (const rest of pathsOf(name.slice(dot + 1))) paths.push([name.slice(0, dot), ...rest])
  }
  return paths
}

/** Beside its siblings where they stand nested, dotted otherwise. */
function newPath(document: Document.Parsed, name: string): string[] {
  const dot = name.indexOf('.')
  return dot !== -1 && isMap(document.get(name.slice(0, dot))) ? [name.slice(0, dot), name.slice(dot + 1)] : [name]
}

/** Removes a key and every map it leaves empty; what was remarked above the key stays, above the next one. */
function takeOut(document: Document.Parsed, keys: string[]): void {
  const parents = keys.slice(0, -1)
  const map = parents.length === 0 ? document.contents : document.getIn(parents)
  if (!isMap(map)) return
  const index = map.items.findIndex(({ key }) => isScalar(key) && key.value === keys.at(-1))
  const [removed] = index === -1 ? [] : map.items.splice(index, 1)
  const remark = isScalar(removed?.key) ? removed.key.commentBefore : undefined
  const next = map.items[index]?.key
  if (isScalar(next)) next.commentBefore = joined(remark, next.commentBefore)
  else document.comment = joined(remark, document.comment)
  if (map.items.length === 0 && parents.length > 0) takeOut(document, parents)
}

/** What is left of a file without settings: an empty map would be written as `{}`. */
function comments(document: Document.Parsed): string {
  const text = joined(document.commentBefore, document.comment)
  return text === null ? '' : `${text.replaceAll(/^/gm, '#')}\n`
}

function joined(...parts: (string | null | undefined)[]): string | null {
  const given = parts.filter((part) => typeof part === 'string')
  return given.length === 0 ? null : given.join('\n')
}

function replaceFile(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeAndRename(path, text)
  } catch (error) {
    throw unwritable(path, error)
  }
}

function writeAndRename(path: string, text: string): void {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Where a link leads, so that the link stays one. */
function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch (error) {
    if (isMissing(error)) return file
    throw unwritable(file, error)
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return ''
    throw unwritable(path, error)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

function unreadable(path: string): AppError {
  return new AppError('invalid_settings', `${path} is no settings file. Mend it, or move it away, and try again.`)
}

function unwritable(path: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new AppError('invalid_settings', `${path} can't be written: ${reason}. Nothing was changed.`, { cause })
}

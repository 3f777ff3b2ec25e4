import { loadSettings, type LoadSettingsNeeds, type LoadedSettings } from '../../../src-main/config/load-settings.js'
import { problemLine } from '../../../src-main/config/problem.js'

/** Folders no test writes to; relative paths and default files start from them. */
export const FOLDERS = { data: '/os/data', config: '/os/config' }

/** Loads settings from nothing but what a test gives; files are `path → text`. */
export function load(
  given: Partial<Pick<LoadSettingsNeeds, 'flags' | 'env' | 'only'>> & { files?: Record<string, string> } = {},
): LoadedSettings {
  const { files = {}, flags = {}, env = {}, only } = given
  return loadSettings({ flags, env, only, folders: FOLDERS, cwd: '/cwd', readFile: (path) => files[path] })
}

/** The settings, where a test is sure they are right. */
export function loaded(given?: Parameters<typeof load>[0]): Extract<LoadedSettings, { ok: true }> {
  const result = load(given)
  if (!result.ok) throw new Error(result.problems.map(problemLine).join('\n'))
  return result
}

/** What is wrong, one line each; empty where nothing is. */
export function problems(given?: Parameters<typeof load>[0]): string[] {
  const result = load(given)
  return result.ok ? [] : result.problems.map(problemLine)
}

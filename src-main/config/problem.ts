import type { SettingName } from './settings.js'

/** One thing wrong with the settings: where it came from and what to do about it. */
export interface SettingProblem {
  /** `flag --port`, `environment OCF_PORT`, `file /x/config.yaml: port`. */
  source: string
  /** The setting at fault, where it is one of the table. */
  setting?: SettingName
  sentence: string
}

/** `flag --port: "x" is not a port…` */
export function problemLine(problem: SettingProblem): string {
  return `${problem.source}: ${problem.sentence}`
}

/** A value as a problem quotes it: short, on one line. */
export function quote(value: unknown): string {
  const shown = JSON.stringify(value) as string | undefined
  if (shown === undefined) return 'nothing'
  return shown.length > 80 ? `${shown.slice(0, 77)}…` : shown
}

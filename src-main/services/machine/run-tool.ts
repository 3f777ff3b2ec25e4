import { execFile } from 'node:child_process'

/** A driver's tool may take this long. */
const TOOL_MS = 5_000
const MAX_OUTPUT = 4 * 1024 * 1024

/** Runs a program without a shell; its output, or undefined when it is missing, fails or takes too long. */
export type RunTool = (file: string, args: readonly string[]) => Promise<string | undefined>

export const runTool: RunTool = (file, args) =>
  new Promise((resolve) => {
    execFile(
      file,
      args,
      { timeout: TOOL_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT, windowsHide: true },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    )
  })

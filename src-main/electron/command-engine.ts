import { app, utilityProcess } from 'electron'
import type { StartEngineProcess } from '../engine/index.js'
import { utilityProcessStarter } from './engine-process.js'

/**
 * How the command `ocf` of an installed app starts the engine's processes: it runs under Electron, whose binary is built to
 * run nothing else as Node. Resolves once Electron is ready.
 */
export async function commandEngineStarter(entry: string): Promise<StartEngineProcess> {
  await app.whenReady()
  return utilityProcessStarter({ utilityProcess, entry })
}

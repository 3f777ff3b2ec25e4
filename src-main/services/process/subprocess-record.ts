import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SleepingClock } from '../../base/clock.js'
import { isRunning, processIdentity, ProcessIdentitySchema } from '../../base/data-folder/process-identity.js'
import { readJsonFile, writeJsonFile } from '../../base/json-file.js'
import type { Log } from '../../logging/index.js'
import { endProcessGroup } from './process-group.js'

/**
 * `subprocess.json` in the data folder: which process group runs for this node. The next start ends what an end by force
 * left of it. Process id and start time are compared, so that no other program is ever taken for it.
 */
export class SubprocessRecord {
  readonly #log: Log
  readonly #clock: SleepingClock
  readonly #file: string

  constructor(needs: { log: Log; clock: SleepingClock }, options: { dataDir: string }) {
    this.#log = needs.log
    this.#clock = needs.clock
    this.#file = join(options.dataDir, 'subprocess.json')
  }

  /** Ends what was left over: politely, and by force after `graceMs`. */
  async endLeftover(graceMs: number): Promise<void> {
    const content = await readJsonFile(this.#file, ProcessIdentitySchema)
    // A group -1 would be every process there is.
    if (content.kind === 'read' && content.value.pid > 1 && isRunning(content.value)) {
      this.#log.warn('the subprocess of an earlier start still runs and is ended', { pid: content.value.pid })
      await endProcessGroup({ clock: this.#clock }, content.value.pid, graceMs)
    }
    await this.forget()
  }

  /** Writes down the leader of a group that has just been started; nothing where the system cannot tell it from others. */
  async note(pid: number): Promise<void> {
    const identity = processIdentity(pid)
    if (identity !== undefined) await writeJsonFile(this.#file, identity)
  }

  /** The group has ended. */
  async forget(): Promise<void> {
    await rm(this.#file, { force: true })
  }
}

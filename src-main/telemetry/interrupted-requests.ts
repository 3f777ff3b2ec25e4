import { z } from 'zod'
import { type TrafficEntry, TrafficEntrySchema } from '#shared/contract/node/traffic.js'
import type { Clock } from '../base/clock.js'
import { readJsonFile, writeJsonFile } from '../base/json-file.js'
import type { Service } from '../base/lifecycle.js'
import type { Log } from '../logging/index.js'
import type { TrafficFeed } from './traffic.js'

/** Requests that are noted at a time; a file of some 64 KiB. */
const MOST_NOTED = 64
const RunningSchema = z.array(TrafficEntrySchema).max(MOST_NOTED)

/** Most requests are over before that, and are never noted. */
const NOTED_AFTER_MS = 1_000
const EVERY_MS = 1_000

/**
 * Notes which requests are running, without anything they say, so that a node that was killed shows them as broken off after
 * its next start.
 */
export function createInterruptedRequests(
  needs: { traffic: Pick<TrafficFeed, 'running' | 'runningEntries' | 'addInterrupted'>; clock: Clock; log: Log },
  options: { file: string },
): Service {
  const { traffic, clock } = needs
  const log = needs.log.forComponent('traffic')
  let noted = ''
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  async function write(running: readonly TrafficEntry[]): Promise<void> {
    try {
      await writeJsonFile(options.file, running, { indent: 0 })
    } catch (error) {
      // Said once; what is lost is a line in a list.
      clearInterval(timer)
      log.warn('running requests can not be noted', { error })
    }
  }

  function note(): void {
    const now = clock.now()
    const running =
      traffic.running === 0
        ? []
        : traffic
            .runningEntries()
            .filter(({ atMs }) => now - atMs >= NOTED_AFTER_MS)
            .slice(-MOST_NOTED)
    const ids = running.map(({ id }) => id).join()
    if (ids === noted) return
    noted = ids
    writing = writing.then(() => write(running))
  }

  return {
    name: 'interrupted-requests',
    async start() {
      const before = await readJsonFile(options.file, RunningSchema)
      if (before.kind === 'broken') log.warn('the list of running requests can not be read', { reason: before.reason })
      if (before.kind === 'read') {
        for (const entry of before.value) traffic.addInterrupted(entry)
        if (before.value.length > 0) await write([])
      }
      timer = setInterval(note, EVERY_MS).unref()
    },
    async stop() {
      clearInterval(timer)
      if (noted !== '') writing = writing.then(() => write([]))
      await writing
    },
  }
}

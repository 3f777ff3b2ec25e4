import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const MODULE = pathToFileURL(join(import.meta.dirname, '../../../../src-main/base/memory/garbage-collection.ts')).href

/** MiB that a process of its own has for young objects after it made six million, of which the last two live. */
async function youngMiBAfterwards(before: string): Promise<number> {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8'
    import { setImmediate as turn } from 'node:timers/promises'
    ${before}
    const kept = []
    for (let index = 0; index < 6_000_000; index += 1) {
      kept[index % 2_000_000] = { index, list: [index] }
      // In pieces, so that the collector is heard of in between.
      if (index % 10_000 === 0) await turn()
    }
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
    console.log(young.space_size / 1024 / 1024)
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  return Number(stdout)
}

test('the space for young objects does not grow without end, however much survives, and less while no request runs', async () => {
  const tune = (running: number): string =>
    `import { tuneGarbageCollection } from ${JSON.stringify(MODULE)}; tuneGarbageCollection(() => ${running})`
  // Between 32 and 64 where nothing else runs, and 16 to 32 at rest; on a busy machine it hears of a collection too late for once.
  const look = async (): Promise<object> => {
    const [untuned, busy, resting] = await Promise.all(['', tune(64), tune(0)].map(youngMiBAfterwards))
    return { isBounded: busy! <= 96, isLess: busy! < untuned!, isLeastAtRest: resting! < busy! }
  }
  await expect.poll(look, { timeout: 50_000 }).toEqual({ isBounded: true, isLess: true, isLeastAtRest: true })
})

import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inLongRun } from '../fixtures/long-run.js'
import { createRandom } from '../fixtures/table-owners.js'
import { runFixture } from '../fixtures/typescript-child.js'

/** A line of test/fixtures/table-store-child.ts. */
interface Line {
  read?: number
  /** Each owner's row that was there. */
  held?: number[]
  written?: number
  done?: boolean
  rows?: number
  warnings: string[]
}

/** Each test starts many processes, which takes its time on a busy machine. */
const timeout = 240_000
const KILLS = inLongRun(20, 4)
const DAMAGES = inLongRun(30, 6)
const AT_ONCE = 2
let base: string
const mounts: string[] = []

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'ocf-store-'))
})

afterAll(async () => {
  for (const mount of mounts.splice(0)) execFileSync('umount', [mount])
  await rm(base, { recursive: true, force: true })
})

async function lineOf(child: ReturnType<typeof runFixture>): Promise<Line> {
  return JSON.parse(await child.line()) as Line
}

/** Runs a child that writes `rows` rows and ends in order. Its lines, and how it ended. */
async function run(folder: string, rows: number): Promise<{ lines: Line[]; code: number | null }> {
  const child = runFixture('table-store-child.ts', [folder, String(rows), 'close'])
  const lines: Line[] = []
  for (;;) {
    const line = await lineOf(child).catch(() => undefined)
    if (line === undefined) break
    lines.push(line)
  }
  return { lines, code: await child.exit }
}

/** As many as table-store-child.ts has: row n is of owner n modulo this. */
const OWNERS = 40

/** Rows that were written up to row `last` and are neither held nor replaced by a newer one of their owner. */
function lostRows(held: readonly number[], last: number): number[] {
  const latest = Array.from({ length: Math.min(OWNERS, last) }, (_, index) => last - index)
  return latest.filter((row) => !held.some((other) => other >= row && other % OWNERS === row % OWNERS))
}

interface Killed {
  read: number
  held: number[]
  written: number
  warnings: string[]
}

/** Lets a child write until `rows` are on the disk, then kills it. Returns what it read first and wrote last. */
async function killAfter(folder: string, rows: number): Promise<Killed> {
  const child = runFixture('table-store-child.ts', [folder])
  const { read = 0, held = [], warnings } = await lineOf(child)
  let written = read
  for (let count = 0; count < rows; count += 1) written = (await lineOf(child)).written ?? written
  child.process.kill('SIGKILL')
  await child.exit
  return { read, held, written, warnings }
}

test(
  'killed in the middle of writing again and again, a store never loses a row that was written',
  { timeout },
  async () => {
    const random = createRandom(1)
    const series = async (folder: string, kills: number): Promise<void> => {
      let before = 0
      for (let round = 0; round < kills; round += 1) {
        const { read, held, written, warnings } = await killAfter(folder, 1 + Math.floor(random() * 60))
        expect(read).toBeGreaterThanOrEqual(before)
        expect(lostRows(held, before)).toEqual([])
        expect(warnings).toEqual([])
        before = written
      }
    }
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => series(join(base, `kill-${index}`, 'table'), KILLS / AT_ONCE)),
    )
  },
)

test(
  'with bytes flipped, zeroed or cut off anywhere in it, the node starts, and says what is lost',
  { timeout },
  async () => {
    const random = createRandom(2)
    const original = join(base, 'whole', 'table')
    await run(original, 60)
    await run(original, 30)
    const damages = ['flip', 'zero', 'cut'] as const
    const damage = async (round: number): Promise<void> => {
      const folder = join(base, `damaged-${round}`, 'table')
      await cp(original, folder, { recursive: true })
      const files = (await readdir(folder)).filter((name) => /\.(ldb|log)$|MANIFEST/.test(name)).sort()
      const file = join(folder, files[round % files.length]!)
      const bytes = await readFile(file)
      const at = Math.floor(random() * bytes.byteLength)
      const kind = damages[(round + Math.floor(round / files.length)) % damages.length]!
      if (kind === 'flip') bytes[at]! ^= 1 << (round % 8)
      if (kind === 'zero') bytes.fill(0, at, Math.min(bytes.byteLength, at + 4096))
      await writeFile(file, kind === 'cut' ? bytes.subarray(0, at) : bytes)
      const { lines, code } = await run(folder, 3)
      expect({ round, kind, file: files[round % files.length], code }).toMatchObject({ code: 0 })
      expect(lines.at(-1)).toMatchObject({ done: true })
      if (lines[0]!.rows === 0) expect(lines[0]!.warnings).toHaveLength(1)
      const [after] = (await run(folder, 1)).lines
      expect(lostRows(after!.held!, lines.at(-2)!.written!).filter((row) => row > lines[0]!.read!)).toEqual([])
    }
    for (let round = 0; round < DAMAGES; round += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => damage(round + index)))
    }
  },
)

/** A file system of 300 KB; undefined where this user may not make one. */
async function smallDisk(): Promise<string | undefined> {
  const folder = join(base, 'small')
  await mkdir(folder)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  mounts.push(folder)
  return folder
}

test(
  'on a full disk the table goes on in memory, says so once, and starts again on what was written',
  { timeout },
  async (context) => {
    const disk = await smallDisk()
    if (disk === undefined) {
      context.skip('this user may not mount a small file system')
      return
    }
    const folder = join(disk, 'data', 'table')
    await writeFile(join(disk, 'ballast'), new Uint8Array(220_000))
    const { lines, code } = await run(folder, 300)
    expect(code).toBe(0)
    const last = lines.at(-1)!
    expect(last).toMatchObject({ done: true, rows: 40 })
    expect(last.warnings).toContain('the node table can’t be written to disk; the node goes on without')
    const failedAt = lines.findIndex(({ warnings }) => warnings.length > 0)
    const written = lines[failedAt - 1]?.written ?? 0
    expect(written).toBeGreaterThan(0)

    const full = await run(folder, 1)
    expect([full.code, full.lines.at(-1)?.done]).toEqual([0, true])
    await rm(join(disk, 'ballast'))
    const again = await run(folder, 5)
    expect(again.code).toBe(0)
    expect(again.lines.at(-1)!.warnings.filter((line) => line.includes('can’t be written'))).toEqual([])
    const kept = await run(folder, 1)
    expect(kept.lines[0]!.read).toBeGreaterThanOrEqual(again.lines.at(-2)!.written!)
    // The rows from before the disk was full, and those from after it had room again.
    const expected = [...again.lines[0]!.held!, ...again.lines.flatMap(({ written: row }) => row ?? [])]
    const newest = expected.filter((row) => !expected.some((other) => other > row && other % OWNERS === row % OWNERS))
    for (const row of newest) expect(kept.lines[0]!.held).toContain(row)
  },
)

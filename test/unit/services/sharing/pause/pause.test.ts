import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PauseCause } from '#shared/contract/sharing/pause.js'
import { AppError } from '#shared/errors.js'
import type { Clock, SleepingClock } from '../../../../../src-main/base/clock.js'
import type { Fact, GpuFacts, MachineFacts } from '../../../../../src-main/services/machine/index.js'
import {
  createAdmission,
  type Admission,
  type Asker,
  type SlotRequest,
} from '../../../../../src-main/services/sharing/access/index.js'
import { createPause, type Pause, type PauseRules } from '../../../../../src-main/services/sharing/pause/index.js'
import { DEFAULT_LIMITS } from '../../../../fixtures/default-limits.js'
import { createRecordingLog } from '../../../../fixtures/recording-log.js'
import { until } from '../../../../fixtures/until.js'

const OFF: PauseRules = {
  userActive: false,
  userIdleMs: 300_000,
  onBattery: false,
  gpuBusy: 0,
  programs: [],
  schedule: '',
}
/** A Monday noon. */
const NOON = new Date(2030, 0, 7, 12).getTime()

interface Seen {
  userIdleMs: Fact<number>
  onBattery: Fact<boolean>
  gpus: Fact<readonly GpuFacts[]>
  programs: Fact<ReadonlySet<string>>
}

const known = <T>(value: T): Fact<T> => ({ known: true, value })
const gpuAt = (busyPercent: number | null): Fact<readonly GpuFacts[]> =>
  known([{ name: 'RTX 4090', total_memory: 24_564, used_memory: 100, busyPercent, celsius: null }])

let folder: string
const started: Pause[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-pause-'))
})
afterEach(async () => {
  for (const pause of started.splice(0)) await pause.stop()
  await rm(folder, { recursive: true, force: true })
})

async function machine(rules: Partial<PauseRules> = {}) {
  const seen: Seen = {
    userIdleMs: known(0),
    onBattery: known(false),
    gpus: gpuAt(0),
    programs: known(new Set<string>()),
  }
  const sleepers = new Set<{ atMs: number; wake: () => void }>()
  let nowMs = NOON
  let elapsedMs = 0
  const clock: Clock & SleepingClock = {
    now: () => nowMs,
    elapsedMs: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted || ms <= 0) {
          resolve()
          return
        }
        const sleeper = { atMs: elapsedMs + ms, wake: resolve }
        sleepers.add(sleeper)
        signal.addEventListener('abort', () => resolve(), { once: true })
      }),
  }
  const facts: MachineFacts = {
    userIdleMs: () => Promise.resolve(seen.userIdleMs),
    onBattery: () => Promise.resolve(seen.onBattery),
    gpus: () => Promise.resolve(seen.gpus),
    programs: () => Promise.resolve(seen.programs),
  }
  const current = { ...OFF, ...rules }
  const settings = { cutAfterMs: 0 }
  const ledger = { givenToday: () => ({ tokens: 0, endsInMs: 0 }), wasServed: () => true }
  const admission = createAdmission({
    ...{ monotonic: clock, ledger },
    limits: () => DEFAULT_LIMITS,
    isTrusted: () => false,
  })
  const make = async (): Promise<Pause> => {
    const pause = createPause(
      {
        facts,
        admission,
        rules: () => current,
        cutAfterMs: () => settings.cutAfterMs,
        clock,
        monotonic: clock,
        log: createRecordingLog(),
      },
      { file: join(folder, 'pause.json') },
    )
    started.push(pause)
    await pause.start(new AbortController().signal)
    return pause
  }
  const pause = await make()
  return {
    seen,
    facts,
    rules: current,
    settings,
    admission,
    pause,
    again: make,
    /** The machine's clock is set, and no time passes. */
    step: (ms: number) => {
      nowMs += ms
    },
    pass: (ms: number) => {
      nowMs += ms
      elapsedMs += ms
      for (const sleeper of [...sleepers].filter(({ atMs }) => atMs <= elapsedMs)) {
        sleepers.delete(sleeper)
        sleeper.wake()
      }
    },
  }
}

/** A request whose body is here. */
const enter = (admission: Admission, peerId: string): SlotRequest =>
  admission.enter(askerOf(peerId), { bytesCome: 0, isHere: true, isHeldUp: false })

const askerOf = (peerId: string): Asker => ({ peerId, source: peerId, usesModel: true })

const refused = (admission: Admission): AppError | undefined => {
  try {
    enter(admission, 'a peer').release()
    return undefined
  } catch (error) {
    return error instanceof AppError ? error : undefined
  }
}

interface RuleCase {
  cause: PauseCause
  rules: Partial<PauseRules>
  on: Partial<Seen>
  off: Partial<Seen>
  sentence: string
}

const CASES: RuleCase[] = [
  {
    cause: 'user-active',
    rules: { userActive: true },
    on: { userIdleMs: known(1_000) },
    off: { userIdleMs: known(300_000) },
    sentence: 'you are using this computer',
  },
  {
    cause: 'on-battery',
    rules: { onBattery: true },
    on: { onBattery: known(true) },
    off: { onBattery: known(false) },
    sentence: 'this computer runs on battery',
  },
  {
    cause: 'gpu-busy',
    rules: { gpuBusy: 30 },
    on: { gpus: gpuAt(80) },
    off: { gpus: gpuAt(10) },
    sentence: 'another program uses the GPU (RTX 4090 is at 80 %)',
  },
  {
    cause: 'program',
    rules: { programs: ['Blender'] },
    on: { programs: known(new Set(['bash', 'blender'])) },
    off: { programs: known(new Set(['bash'])) },
    sentence: 'Blender is running',
  },
]

test.each(CASES)('$cause pauses while it holds, with its reason, and only when switched on', async (rule) => {
  const { seen, admission, pause, rules } = await machine()
  Object.assign(seen, rule.on)
  expect(await pause.review()).toMatchObject({ paused: false, reasons: [] })

  Object.assign(rules, rule.rules)
  expect(await pause.review()).toMatchObject({
    paused: true,
    reasons: [{ cause: rule.cause, sentence: rule.sentence }],
  })
  expect(refused(admission)).toMatchObject({ code: 'no_provider', status: 503, retryAfterS: 60 })

  Object.assign(seen, rule.off)
  expect(await pause.review()).toMatchObject({ paused: false })
  expect(refused(admission)).toBeUndefined()
})

test('outside the schedule it pauses and says until when', async () => {
  const { pause, rules, pass } = await machine({ schedule: 'Mon-Fri 18:00-08:00' })
  const evening = new Date(2030, 0, 7, 18).getTime()
  expect(pause.state()).toMatchObject({ paused: true, reasons: [{ cause: 'schedule', untilMs: evening }] })

  pass(6 * 3_600_000)

  expect(await pause.review()).toMatchObject({ paused: false })
  rules.schedule = 'Sun 00:00-24:00'
  expect(await pause.review()).toMatchObject({ paused: true })
})

test('what is not known on this machine pauses nothing and is said as such', async () => {
  const { seen, pause, rules } = await machine({ userActive: true, gpuBusy: 30 })
  seen.userIdleMs = { known: false, why: 'only the desktop app sees keyboard and mouse' }
  seen.gpus = gpuAt(null)
  const state = await pause.review()
  expect(state.paused).toBe(false)
  expect(state.rules.filter(({ enabled }) => enabled)).toMatchObject([
    {
      cause: 'user-active',
      holds: null,
      sentence: 'can’t tell on this machine: only the desktop app sees keyboard and mouse',
    },
    { cause: 'gpu-busy', holds: null, sentence: 'can’t tell on this machine: the GPU does not report its load' },
  ])
  expect(rules.onBattery).toBe(false)
})

test('a rule that can see nothing on this machine says so before it is switched on', async () => {
  const { seen, pause } = await machine()
  const canTell = async (): Promise<unknown> => (await pause.review()).rules.map((rule) => [rule.cause, rule.canTell])
  const others = ['on-battery', 'gpu-busy', 'program', 'schedule'].map((cause) => [cause, true])
  expect(await canTell()).toEqual([['user-active', true], ...others])
  seen.userIdleMs = { known: false, why: 'only the desktop app sees keyboard and mouse' }
  expect(await canTell()).toEqual([['user-active', false], ...others])
})

test('a GPU that is busy with this node’s own requests is no reason', async () => {
  const { seen, pause, admission, pass } = await machine({ gpuBusy: 30 })
  const endOwn = admission.beginOwn()
  seen.gpus = gpuAt(100)
  expect((await pause.review()).paused).toBe(false)
  endOwn()
  expect((await pause.review()).paused).toBe(false)

  pass(21_000)

  expect((await pause.review()).paused).toBe(true)
})

test('a pause for a time ends by itself, and one by hand lasts over a restart', async () => {
  const { pause, pass, again } = await machine()
  await pause.pause({ forMs: 900_000 })
  expect(pause.state().reasons).toMatchObject([{ cause: 'manual', untilMs: NOON + 900_000 }])
  pass(899_000)
  expect((await pause.review()).paused).toBe(true)
  pass(1_000)
  await until(() => !pause.isPaused, { what: 'the pause ends' })

  await pause.pause({ forMs: null })
  await pause.stop()
  expect(JSON.parse(await readFile(join(folder, 'pause.json'), 'utf8'))).toEqual({ manual: { untilMs: null } })

  const second = await again()
  expect(second.isPaused).toBe(true)
  await second.resume()
  expect(second.isPaused).toBe(false)
})

test.each([3_600_000, -3_600_000])(
  'a pause lasts as long as it was asked for though the clock is set by %d ms',
  async (ms) => {
    const { pause, pass, step, admission } = await machine()
    await pause.pause({ forMs: 900_000 })
    step(ms)
    pass(890_000)
    expect(await pause.review()).toMatchObject({ paused: true })
    expect(() => admission.check({ ...askerOf('a'), usesModel: false })).toThrow(
      expect.objectContaining({ retryAfterS: 10 }),
    )
    pass(10_000)
    await until(() => !pause.isPaused, { what: 'the pause ends' })
  },
)

test('a pause that can no longer be read stays a pause', async () => {
  await writeFile(join(folder, 'pause.json'), '{"manual":')
  const { pause } = await machine()
  expect(pause.isPaused).toBe(true)
})

test('resuming by hand does not end what a rule holds', async () => {
  const { seen, pause } = await machine({ onBattery: true })
  seen.onBattery = known(true)
  await pause.pause({ forMs: null })
  expect((await pause.resume()).reasons.map(({ cause }) => cause)).toEqual(['on-battery'])
})

test('those who wait are refused at once, those who run may end', async () => {
  const { pause, admission } = await machine()
  const running = [1, 2, 3, 4].map(() => enter(admission, 'a'))
  await Promise.all(running.map((ticket) => ticket.acquire()))
  const waiting = enter(admission, 'b')
  const outcome = waiting.acquire().catch((error: unknown) => error)
  const cuts: string[] = []
  for (const ticket of running) ticket.onCut(() => cuts.push('cut'))

  const state = await pause.pause({ forMs: null })

  expect(state).toMatchObject({ running: 4, cutAtMs: null })
  expect(await outcome).toMatchObject({ code: 'no_provider' })
  expect(cuts).toEqual([])
})

test('running answers are cut after their grace, and not when the pause ended before', async () => {
  const { pause, admission, settings, pass } = await machine()
  settings.cutAfterMs = 5_000
  const ticket = enter(admission, 'a')
  await ticket.acquire()
  const cuts: AppError[] = []
  ticket.onCut((reason) => cuts.push(reason))

  expect(await pause.pause({ forMs: null })).toMatchObject({ running: 1, cutAtMs: NOON + 5_000 })
  await pause.resume()
  pass(5_000)
  await pause.review()
  expect(cuts).toEqual([])

  await pause.pause({ forMs: null })
  pass(5_000)
  await until(() => cuts.length === 1, { what: 'the answer is cut' })
  expect(cuts[0]?.code).toBe('no_provider')
})

/** A folder where the file goes: it can neither be written nor replaced. */
async function blockFile(): Promise<void> {
  await rm(join(folder, 'pause.json'), { force: true })
  await mkdir(join(folder, 'pause.json', 'inside'), { recursive: true })
}

test('a pause that can’t be stored is in force, and says that it ends with the node', async () => {
  const { pause, admission } = await machine()
  await blockFile()
  await expect(pause.pause({ forMs: null })).rejects.toMatchObject({
    code: 'data_dir_unusable',
    message: expect.stringMatching(/^Sharing is paused, but only until this node stops: /),
  })
  expect(pause.isPaused).toBe(true)
  expect(refused(admission)?.code).toBe('no_provider')
  // No start would bring it back, so it can end.
  expect(await pause.resume()).toMatchObject({ paused: false })
})

test('a pause whose end can’t be stored goes on', async () => {
  const { pause, admission } = await machine()
  await pause.pause({ forMs: null })
  await blockFile()
  await expect(pause.resume()).rejects.toMatchObject({
    code: 'data_dir_unusable',
    message: expect.stringMatching(/^Sharing stays paused: /),
  })
  expect(pause.isPaused).toBe(true)
  expect(refused(admission)?.code).toBe('no_provider')
})

test('a pause by hand waits for no fact of the machine', async () => {
  const { pause, rules, facts, admission } = await machine()
  const battery = Promise.withResolvers<Fact<boolean>>()
  facts.onBattery = () => battery.promise
  rules.onBattery = true
  const pausing = pause.pause({ forMs: null })
  expect(refused(admission)?.code).toBe('no_provider')
  battery.resolve(known(false))
  expect(await pausing).toMatchObject({ paused: true })
})

test('a pause that begins while another one ends is kept', async () => {
  const { pause, again } = await machine()
  await pause.pause({ forMs: 900_000 })
  await Promise.all([pause.resume(), pause.pause({ forMs: null })])
  expect(pause.isPaused).toBe(true)
  await pause.stop()
  expect((await again()).isPaused).toBe(true)
})

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TokenSizes } from '../../../../../src-main/gateway/routing/eligibility/token-sizes.js'
import { createLearnedRates } from '../../../../../src-main/gateway/routing/estimate/learned-rates.js'
import { createProviderScores } from '../../../../../src-main/gateway/routing/provider-scores.js'
import { silentLog } from '../../../../fixtures/hosts.js'
import { createTurnableClock } from '../../../../fixtures/table-owners.js'

const OFFER = 'llm\0model=m'
const HOUR = 3_600_000

let dir: string
let file: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  file = join(dir, 'learned-rates.json')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** One run of the program, whose monotonic clock begins anew. */
async function run(wallMs: number) {
  const clock = createTurnableClock(0)
  const scores = createProviderScores({ monotonic: { elapsedMs: () => clock.now() }, roundTripMs: () => 10 })
  const sizes = new TokenSizes()
  const rates = createLearnedRates(
    { scores, sizes, clock: { now: () => wallMs + clock.now() }, log: silentLog },
    { file },
  )
  await rates.start(new AbortController().signal)
  const serve = (peerId: string, tokens: number, ttfbMs: number): void => {
    const attempt = scores.begin(peerId, { offer: OFFER, unreadTokens: tokens })
    clock.turn(ttfbMs)
    attempt.answered(ttfbMs)
    attempt.end()
  }
  const expectedMs = (peerId: string, tokens = 4_000): number =>
    scores.estimate(peerId, { offer: OFFER, unreadTokens: tokens }).totalMs
  return { clock, scores, sizes, serve, expectedMs, stop: () => rates.stop() }
}

/** A run in which `slow` is known to take two seconds for 1,000 tokens, and half as many tokens as usual are counted. */
async function learnedAt(wallMs: number) {
  const first = await run(wallMs)
  for (let times = 0; times < 10; times += 1) {
    first.serve('slow', 1_000, 2_050)
    first.serve('slow', 4_000, 8_050)
    first.sizes.counted(OFFER, 8_000, 1_000)
  }
  await first.stop()
  return first
}

describe('what was learned of providers', () => {
  test('is there again after a restart: the rate, the length of tokens, and how often it was measured', async () => {
    const { expectedMs, sizes } = await learnedAt(HOUR)
    const second = await run(HOUR + 120_000)
    expect(second.expectedMs('slow') / expectedMs('slow')).toBeCloseTo(1, 1)
    expect(second.scores.measurements('slow', OFFER)).toBe(20)
    expect(second.sizes.range(OFFER, 8_000)).toEqual(sizes.range(OFFER, 8_000))
    await second.stop()
  })

  test('is less certain the older it is, and gone after a week', async () => {
    await learnedAt(HOUR)
    const spreadAfter = async (hours: number): Promise<number> => {
      const later = await run(HOUR + hours * HOUR)
      return later.scores.estimate('slow', { offer: OFFER, unreadTokens: 1_000 }).spread
    }
    expect(await spreadAfter(1)).toBeLessThan(await spreadAfter(5))
    const muchLater = await run(HOUR + 8 * 24 * HOUR)
    expect(muchLater.scores.measurements('slow', OFFER)).toBe(0)
  })

  test('is corrected by what is measured now, sooner the older it is', async () => {
    await learnedAt(HOUR)
    const afterOne = async (hours: number): Promise<number> => {
      const later = await run(HOUR + hours * HOUR)
      later.serve('slow', 4_000, 4_000)
      return later.expectedMs('slow')
    }
    const [soon, late] = [await afterOne(0.1), await afterOne(24)]
    expect(soon).toBeLessThan(8_000)
    expect(late).toBeLessThan(soon)
  })

  test('is no newer than now where the clock was set back', async () => {
    await learnedAt(10 * HOUR)
    const second = await run(HOUR)
    expect(second.scores.measurements('slow', OFFER)).toBe(20)
    await second.stop()
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ rates: [{ peer: 'slow' }] })
  })

  test.each([
    ['no JSON', '{"version":1,'],
    ['of another version', '{"version":2,"rates":[],"sizes":[]}'],
    ['not what it should be', '{"version":1,"rates":[{"peer":"slow","fixedMs":-1}],"sizes":[]}'],
    ['empty', ''],
  ])('is learned anew where the file is %s', async (_what, text) => {
    await writeFile(file, text)
    const { scores, serve, stop } = await run(HOUR)
    expect(scores.measurements('slow', OFFER)).toBe(0)
    serve('slow', 1_000, 500)
    await stop()
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ version: 1, rates: [{ peer: 'slow' }] })
  })

  test('is bounded: of thousands of providers and models those measured last are kept', async () => {
    const first = await run(HOUR)
    for (let index = 0; index < 3_000; index += 1) first.serve(`peer-${index}`, 1_000, 50)
    await first.stop()
    const { rates } = JSON.parse(await readFile(file, 'utf8')) as { rates: { peer: string }[] }
    expect(rates).toHaveLength(1_024)
    expect(rates[0]?.peer).toBe('peer-2999')
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { offersFor } from '../../../src-main/engine/install/builds.js'
import { BUILD_PINS, LIBRARY_PINS } from '../../../src-main/engine/install/pinned-packages.js'
import { failureOf, pauseAfter } from '../../../src-main/engine/run/failures.js'
import { planOf } from '../../../src-main/engine/run/plan.js'
import { nextPiece } from '../../../src-main/engine/worker/prompt.js'

const GIB = 1024 ** 3
const DEFAULTS = { contextTokens: null, slots: null, gpuLayers: null, keepLoaded: false }
const MODEL = { sizeBytes: 5 * GIB, trainedTokens: 32_768, cacheBytesPerToken: 128 * 1024 }

test('a model gets the usual context where there is room, less where there is not, then fewer slots', () => {
  expect(planOf(MODEL, DEFAULTS, 64 * GIB)).toMatchObject({ contextTokens: 16_384, slots: 4 })
  expect(planOf(MODEL, DEFAULTS, 8 * GIB)).toMatchObject({ contextTokens: 5120, slots: 4 })
  expect(planOf(MODEL, DEFAULTS, 6 * GIB)).toMatchObject({ slots: 2 })
  expect(planOf(MODEL, DEFAULTS, 5 * GIB)).toHaveProperty('problem')
})

test('what the person set counts, or it is said that it does not fit', () => {
  const set = { ...DEFAULTS, contextTokens: 32_768, slots: 2 }
  expect(planOf(MODEL, set, 64 * GIB)).toMatchObject({ contextTokens: 32_768, slots: 2 })
  expect(planOf(MODEL, set, 8 * GIB)).toEqual({
    problem: 'It needs 14.4 GB of memory with these settings, and models may take 8.6 GB.',
  })
})

test('no plan takes more than the budget', () => {
  const settings = fc.record({
    contextTokens: fc.option(fc.integer({ min: 256, max: 200_000 })),
    slots: fc.option(fc.integer({ min: 1, max: 32 })),
    gpuLayers: fc.constant(null),
    keepLoaded: fc.boolean(),
  })
  const model = fc.record({
    sizeBytes: fc.integer({ min: 0, max: 40 * GIB }),
    trainedTokens: fc.option(fc.integer({ min: 1, max: 1_000_000 })),
    cacheBytesPerToken: fc.option(fc.integer({ min: 1, max: 1024 * 1024 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(model, settings, fc.integer({ min: 0, max: 80 * GIB }), (facts, how, budget) => {
      const plan = planOf(facts, how, budget)
      if ('problem' in plan) return
      expect(plan.needBytes).toBeLessThanOrEqual(budget)
      expect(plan.contextTokens).toBeGreaterThan(0)
      expect(plan.slots).toBeGreaterThan(0)
    }),
  )
})

test.each([
  [
    { said: "error loading model architecture: unknown model architecture: 'future'" },
    'The engine does not know this kind of model yet.',
    true,
  ],
  [{ said: 'Failed to load model' }, 'The file can’t be loaded: it is damaged or incomplete.', true],
  [
    { said: 'A context size of 9 is too large for the available VRAM' },
    'There is not enough memory for it now. Choose a smaller context, or close other programs.',
    false,
  ],
  [{ how: 'signal SIGKILL' }, 'The system ended its process, most likely for lack of memory.', false],
  [{ lastWords: 'CUDA error: device lost', how: 'signal SIGABRT' }, 'The GPU failed while it was working.', false],
  [{ how: 'signal SIGILL' }, 'The engine can’t run on this processor.', true],
  [{ how: 'signal SIGSEGV' }, 'The engine’s process ended while it worked (signal SIGSEGV).', false],
])('a process that ended with %o is told in words', (ending, sentence, isFinal) => {
  const whole = { how: 'exit code 2', wasLoading: false, said: undefined, lastWords: '', ...ending }
  expect(failureOf(whole)).toEqual({ sentence, isFinal })
})

test('a model that keeps failing is left alone for longer and longer, ten minutes at most', () => {
  expect([1, 2, 3, 20].map(pauseAfter)).toEqual([2_000, 4_000, 8_000, 600_000])
})

test('a prompt is read in pieces of 50 ms, at least a token and at most a batch', () => {
  expect(nextPiece(32, 100)).toBe(16)
  expect(nextPiece(32, 10)).toBe(128)
  expect(nextPiece(512, 1)).toBe(512)
  expect(nextPiece(1, 5_000)).toBe(1)
})

test('every pinned package has a hash and a size, and each machine is offered what there is for it', () => {
  for (const [, version, integrity, bytes] of [...LIBRARY_PINS, ...BUILD_PINS.values()]) {
    expect(version).toMatch(/^\d+\.\d+\.\d+/)
    expect(integrity).toMatch(/^sha512-[\w+/]{86}==$/)
    expect(bytes).toBeGreaterThan(0)
  }
  const backends = (platform: NodeJS.Platform, arch: string, gpus: string[] = []): string[] =>
    offersFor({ platform, arch, gpus }).map(({ backend }) => backend)
  expect(backends('linux', 'x64')).toEqual(['cpu', 'vulkan', 'cuda'])
  expect(backends('linux', 'x64', ['a GPU'])).toEqual(['vulkan', 'cuda', 'cpu'])
  expect(backends('darwin', 'arm64')).toEqual(['metal'])
  expect(backends('linux', 'arm64')).toEqual(['cpu'])
  expect(backends('win32', 'ia32')).toEqual([])
})

import { expect, test } from 'vitest'
import { startOnce } from '../../.ci/smoke.ts'
import { builtFile } from '../fixtures/built.js'

const NODE = process.execPath

test('the smoke test of packages passes for a program whose node answers', async () => {
  await startOnce(NODE, [builtFile('main', 'headless.js'), 'start'])
})

test('the smoke test of packages fails, with what was written, for a program that ends at one of its words', async () => {
  const failed = startOnce(NODE, [builtFile('main', 'headless.js'), 'start', '--updated'])
  await expect(failed).rejects.toThrow('flag --updated: There is no such flag.')
})

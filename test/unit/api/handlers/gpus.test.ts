import { expect, test } from 'vitest'
import { unknown } from '../../../../src-main/services/machine/index.js'
import { createFakeNode } from '../../../contract/fake-node.js'

const context = { capabilities: [] }

test('the GPUs are told with their memory, use and temperature', async () => {
  const node = createFakeNode({
    gpus: [{ name: 'RTX 4090', total_memory: 24_564, used_memory: 1_024, busyPercent: null, celsius: 51 }],
  })
  await expect(node.control.dispatch('node.gpus', {}, context)).resolves.toEqual([
    { name: 'RTX 4090', memoryMiB: 24_564, usedMiB: 1_024, busyPercent: null, celsius: 51 },
  ])
})

test('a machine that does not tell has none', async () => {
  const node = createFakeNode()
  node.needs.gpus.read = () => Promise.resolve(unknown('nothing tells'))
  await expect(node.control.dispatch('node.gpus', {}, context)).resolves.toEqual([])
})

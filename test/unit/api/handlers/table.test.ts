import { expect, test } from 'vitest'
import { ALICE, createFakeNode, SELF } from '../../../contract/fake-node.js'

const context = { capabilities: [] }

test('table rows are those of connected peers unless all are asked for', async () => {
  const node = createFakeNode()
  node.offer(SELF, 'llm', ['all'])
  node.offer(ALICE, 'llm', ['all'])
  const ids = async (input: object) =>
    ((await node.control.dispatch('table.rows', input, context)) as { peerId: string }[]).map((row) => row.peerId)
  expect(await ids({})).toEqual([SELF])
  expect(await ids({ all: true })).toEqual([SELF, ALICE])
  const rows = await node.control.dispatch('table.rows', { all: true }, context)
  expect((rows as { standing: string }[]).map(({ standing }) => standing)).toEqual(['proven', 'unproven'])
})

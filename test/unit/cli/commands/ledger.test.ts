import { expect, it } from 'vitest'
import { EXIT } from '../../../../src-main/cli/io.js'
import { createFakeSharing } from '../../../contract/fake-sharing.js'
import { cli } from '../cli-fixture.js'

const sharing = createFakeSharing()

it('ocf ledger prints totals and rows', async () => {
  const answers = { 'ledger.summary': sharing.ledger.summary(), 'ledger.rows': sharing.ledger.rows(30) }
  const { run, output } = cli({ answers })
  expect(await run('ledger')).toBe(EXIT.ok)
  expect(output()).toContain('Today: 3 requests answered, 300 tokens, 2 peers helped.')
  expect(output()).toContain('Total: 3 requests answered, 300 tokens, 2 peers helped (since 2030-01-31).')
  expect(output()).toContain('2030-01-31  llama3.2:latest  alice')
})

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

it('ocf ledger writes large numbers with separators', async () => {
  const [row] = sharing.ledger.rows(30)
  const rows = [{ ...row, requests: 1234, tokensIn: 20_000, tokensOut: 3_000_000, tokensEstimated: 0 }]
  const { run, output } = cli({ answers: { 'ledger.summary': sharing.ledger.summary(), 'ledger.rows': rows } })
  await run('ledger')
  expect(output()).toMatch(/ 1,234 +\d+ +20,000 +3,000,000\n/)
})

it('ocf ledger shows the newest day first, of a day the most tokens, and people by their names', async () => {
  const peer = '12D3KooWQwertyuiopPeer77'
  const row = {
    day: '2030-01-01',
    model: 'm',
    peer,
    requests: 1,
    failed: 0,
    tokensIn: 1,
    tokensOut: 5,
    tokensEstimated: 0,
  }
  const rows = [
    row,
    { ...row, tokensOut: 50, tokensEstimated: 50, peer: null },
    { ...row, day: '2030-01-02', peer: `${peer.slice(0, -1)}8` },
  ]
  const people = [{ peerId: peer, label: 'Ann' }]
  const answers = { 'ledger.summary': sharing.ledger.summary(), 'ledger.rows': rows, 'people.list': people }
  const { run, output } = cli({ answers })
  await run('ledger')
  expect(
    output()
      .split('\n')
      .slice(4)
      .map((line) => line.split(/ {2,}/).slice(0, 3).join(' ')),
  ).toEqual([
    '2030-01-02 m …Peer78',
    '2030-01-01 m all peers',
    '2030-01-01 m Ann',
    '~ is counted here, as the server did not say.',
    '',
  ])
})

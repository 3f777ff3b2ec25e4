import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

const totals = { requests: 2, tokensIn: 10, tokensOut: 14 }
const entry = {
  ...{ id: '0123456789ab', name: 'phone', createdDay: '2026-01-31', lastUsedDay: null },
  usage: { today: totals, sinceStart: totals },
}
const key = `ocf_${'k'.repeat(43)}`

describe('ocf keys', () => {
  it('ocf keys add prints the key alone on standard output, once', async () => {
    const { run, output, errors } = cli({ answers: { 'keys.add': { key, entry } } })
    expect(await run('keys', 'add', 'phone')).toBe(EXIT.ok)
    expect(output()).toBe(`${key}\n`)
    expect(errors()).toContain('It is not shown again')
    expect(errors()).not.toContain(key)
  })

  it('ocf keys lists the keys with what was asked with each', async () => {
    const { run, output, errors } = cli({ answers: { 'keys.list': { required: true, keys: [entry] } } })
    expect(await run('keys')).toBe(EXIT.ok)
    expect(output()).toMatch(/phone +0123456789ab +2026-01-31 +never +2 requests, 10 \+ 14 tokens/)
    expect(errors()).toContain('The gateway asks for a key.')
  })

  it('ocf keys revoke says whose key is refused', async () => {
    const { run, output } = cli({ answers: { 'keys.revoke': { revoked: entry } } })
    expect(await run('keys', 'revoke', 'phone')).toBe(EXIT.ok)
    expect(output()).toBe('The key of phone is refused from now on.\n')
  })

  it('ocf keys refuses what it does not know', async () => {
    const { run, errors } = cli()
    expect(await run('keys', 'remove', 'phone')).toBe(EXIT.usage)
    expect(errors()).toContain('say list, add or revoke')
    expect(await run('keys', 'add')).toBe(EXIT.usage)
  })
})

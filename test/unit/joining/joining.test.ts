import { describe, expect, it } from 'vitest'
import { createJoining, type JoiningNeeds } from '../../../src-main/joining/index.js'
import { silentLog } from '../../fixtures/hosts.js'

/** A node whose settings are these, and what it saves. */
function node(settings: Record<string, string>) {
  const saved: Record<string, string | null>[] = []
  const needs = {
    live: {
      current: { mode: 'node', network: 'none', 'bootstrap.joined': [], ...settings },
      source: {
        next: () => ({ settings: { 'go-network': 'off', ...settings } }),
        saveAll: (values: Record<string, string | null>) => {
          saved.push(values)
          return Promise.resolve({ restartNeeded: 'go-network' in values })
        },
      },
    },
    people: { network: { isKept: () => Promise.resolve(false), canSwitch: true }, isTrusted: () => false },
    bootstrapper: { forgetPeers: () => Promise.resolve() },
    log: silentLog,
  } as unknown as JoiningNeeds
  return { joining: createJoining(needs), saved }
}

describe('a network of the Go program', () => {
  it('is used from the next start on by a node that joins it', async () => {
    const { joining, saved } = node({})
    const result = await joining.join('opentela', { switchNetwork: false })
    expect(result).toMatchObject({ kind: 'network', state: 'restart-needed' })
    expect(result.sentence).toContain('unsigned')
    expect(saved).toEqual([{ network: 'opentela', 'go-network': 'use' }])
  })

  it('is joined without a word by one that takes part in such networks already', async () => {
    const { joining, saved } = node({ 'go-network': 'share' })
    expect(await joining.join('opentela', { switchNetwork: false })).toMatchObject({ state: 'joined' })
    expect(saved).toEqual([{ network: 'opentela' }])
  })

  it('is left with its setting', async () => {
    const { joining, saved } = node({ network: 'opentela', 'go-network': 'use' })
    expect(await joining.leave(undefined)).toMatchObject({ restartNeeded: true })
    expect(saved).toEqual([{ 'bootstrap.joined': null, network: null, 'go-network': null }])
  })

  it('is told apart where networks are listed', () => {
    expect(node({}).joining.view().choices).toEqual([expect.objectContaining({ name: 'opentela', kind: 'go' })])
  })
})

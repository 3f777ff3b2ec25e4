import { expect, test } from 'vitest'
import { loadSettings } from '../../../src-main/config/load-settings.js'
import { KNOWN_NETWORKS, knownNetwork } from '../../../src-main/config/settings/known-networks.js'
import { bootstrapSettings, parseBootstrapSettings } from '../../../src-main/p2p/bootstrap/parse-source.js'

const load = (flags: Record<string, unknown>) =>
  loadSettings({ flags, env: {}, folders: { data: '/d', config: '/c' }, readFile: () => undefined })

test('every network that can be joined by name says who runs it and what joining means, and has sources that can be read', () => {
  for (const network of KNOWN_NETWORKS) {
    expect(network).toMatchObject({ name: expect.stringMatching(/^[a-z0-9-]{2,32}$/) as string })
    expect([network.title, network.runBy, network.meaning].every((text) => text.length > 5)).toBe(true)
    const { sources, problems } = parseBootstrapSettings([{ setting: 'network', values: network.sources }])
    expect(problems).toEqual([])
    expect(sources.length).toBeGreaterThan(0)
  }
  expect(knownNetwork('OpenTela')?.kind).toBe('go')
})

test('no network is joined that was not picked: without the setting no source of one is asked', () => {
  const loaded = load({})
  if (!loaded.ok) throw new Error('no settings')
  expect(loaded.settings.network).toBe('none')
  expect(bootstrapSettings(loaded.settings).flatMap(({ values }) => values)).toEqual([])
})

test('a source of a network of the Go program is asked only by a node that takes part in it', () => {
  const sourcesWith = (flags: Record<string, unknown>): string[] => {
    const loaded = load(flags)
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
    return bootstrapSettings(loaded.settings).flatMap(({ values }) => [...values])
  }
  expect(sourcesWith({ network: 'opentela' })).toEqual([])
  expect(sourcesWith({ network: 'opentela', 'go-network': 'off' })).toEqual([])
  for (const mode of ['use', 'share']) {
    expect(sourcesWith({ network: 'opentela', 'go-network': mode })).toEqual(knownNetwork('opentela')?.sources)
  }
})

import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { describe, expect, test } from 'vitest'
import { readOpenFiles, shareOpenFiles, type OpenFileShares } from '../../../../src-main/services/machine/index.js'

test.skipIf(process.platform === 'win32')('the limit of this process and what it has open are known', () => {
  const before = readOpenFiles()
  const opened = Array.from({ length: 20 }, () => openSync(devNull, 'r'))
  const after = readOpenFiles()
  for (const descriptor of opened) closeSync(descriptor)
  expect(before.limit).toBeGreaterThan(0)
  expect(after.limit).toBe(before.limit)
  expect(after.inUse! - before.inUse!).toBeGreaterThanOrEqual(15)
})

const numbersOf = (shares: OpenFileShares): number[] => Object.values({ ...shares })
const sumOf = (shares: OpenFileShares): number => numbersOf(shares).reduce((total, share) => total + share, 0)

describe('how the open files are shared', () => {
  test.each([256, 512, 1_024, 4_096, 65_536])('all parts of a limit of %i stay below it', (limit) => {
    const shares = shareOpenFiles({ limit, inUse: 30 })
    const sum = sumOf(shares)
    expect(sum + 30).toBeLessThan(limit)
    expect(Math.min(...numbersOf(shares)) > 0).toBe(true)
  })

  test('without a limit each part has what a node can use', () => {
    expect(shareOpenFiles({ limit: undefined, inUse: undefined })).toEqual({
      gateway: 10_000,
      servers: 2_048,
      control: 256,
      peers: 2_000,
      handshakes: 1_024,
      dials: 100,
    })
  })

  test('with hardly any, each part still has some', () => {
    const shares = shareOpenFiles({ limit: 64, inUse: 60 })
    expect(Math.min(...numbersOf(shares))).toBeGreaterThanOrEqual(4)
  })
})

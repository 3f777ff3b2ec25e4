import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { pinned } from '../../../.ci/pin-images.ts'

const DOCKERFILE = readFileSync(join(resolve(import.meta.dirname, '..', '..', '..'), 'Dockerfile'), 'utf8')
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`

it('the container of a release is made from nothing but images by digest', () => {
  const stages = pinned(DOCKERFILE, DIGEST)
    .split('\n')
    .filter((line) => /^FROM\b/i.test(line))
  expect(stages.length).toBeGreaterThan(0)
  for (const stage of stages) expect(stage).toMatch(/^FROM \S+@sha256:[0-9a-f]{64}( AS \w+)?$/)
})

it.each(['', 'latest', 'sha256:abc', `${DIGEST}\nRUN evil`])('%j is no digest to make the container from', (digest) => {
  expect(() => pinned(DOCKERFILE, digest)).toThrow('is not the digest')
})

it('a Dockerfile made from an image that is not known is refused', () => {
  expect(() => pinned('FROM ubuntu:latest\n', DIGEST)).toThrow('ubuntu:latest')
})

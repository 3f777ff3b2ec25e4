import fc from 'fast-check'
import { expect, test } from 'vitest'
import { privateIdsOf, Scrubber } from '../../../../src-main/gateway/forward/server-model-ids.js'

const PATH = '/home/anna/models/Qwen3-8B-Q4_K_M.gguf'

test('only ids that are paths are private', () => {
  const ids = privateIdsOf({
    serverModelIds: new Map([
      ['Qwen3-8B-Q4_K_M.gguf', PATH],
      ['qwen', PATH],
      ['alias', 'org/model'],
      ['phi.gguf', 'C:\\models\\phi.gguf'],
    ]),
  })
  expect(ids.map(({ secret, shown }) => [secret.toString(), shown.toString()])).toEqual([
    [PATH, 'Qwen3-8B-Q4_K_M.gguf'],
    ['C:\\\\models\\\\phi.gguf', 'phi.gguf'],
  ])
})

test('an answer holds no path, wherever it is cut into pieces', () => {
  const ids = privateIdsOf({ serverModelIds: new Map([['m', PATH]]) })
  const piece = fc.constantFrom(PATH, '/home/anna', '/', 'data: {"model":"', '"}\n\n', 'é', PATH.slice(0, 20))
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(80)), (pieces, cuts) => {
      const whole = Buffer.from(pieces.join(''))
      const scrubber = new Scrubber(ids)
      const out: Buffer[] = []
      let from = 0
      for (const cut of [...cuts.map((length) => from + length), whole.length]) {
        out.push(scrubber.push(whole.subarray(from, Math.max(from, cut))))
        from = Math.max(from, Math.min(cut, whole.length))
      }
      out.push(scrubber.rest())
      expect(Buffer.concat(out).toString()).toBe(whole.toString().replaceAll(PATH, 'Qwen3-8B-Q4_K_M.gguf'))
    }),
  )
})

test('a piece without a beginning of an id passes at once', () => {
  const scrubber = new Scrubber(privateIdsOf({ serverModelIds: new Map([['m', PATH]]) }))
  expect(scrubber.push(Buffer.from('data: hello\n\n')).toString()).toBe('data: hello\n\n')
})

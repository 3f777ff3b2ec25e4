import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readPasted } from '../../../src-main/cli/given-text.js'

/** A terminal or a pipe, and what a person sees there. */
function terminal(options: { isTTY: boolean }) {
  const raw: boolean[] = []
  const input = Object.assign(new PassThrough(), {
    isTTY: options.isTTY,
    setRawMode: (isRaw: boolean) => void raw.push(isRaw),
  })
  let seen = ''
  const output = { write: (text: string) => (seen += text) }
  return { input, raw, seen: () => seen, pasted: readPasted({ input, output }, 'Paste: ') }
}

describe('readPasted', () => {
  it('what is pasted on a terminal is not shown, and the terminal is left as it was', async () => {
    const { input, raw, seen, pasted } = terminal({ isTTY: true })
    input.write('ocf1AAAABBBB\r')
    expect(await pasted).toBe('ocf1AAAABBBB\n')
    expect(seen()).toBe('Paste: \n')
    expect(raw).toEqual([true, false])
  })

  it('an invite that was broken into lines is read whole, so that none of it is left to the shell', async () => {
    const { input, pasted } = terminal({ isTTY: true })
    input.write('ocf1AAAA\rBBBB\rCCCC\r')
    expect(await pasted).toBe('ocf1AAAA\nBBBB\nCCCC\n')
  })

  it('Ctrl-C on a terminal gives up', async () => {
    const { input, raw, pasted } = terminal({ isTTY: true })
    input.write('ocf1AAAA\u0003')
    expect(await pasted).toBeUndefined()
    expect(raw).toEqual([true, false])
  })

  it('a pipe needs no end, and nobody is prompted', async () => {
    const { input, seen, pasted } = terminal({ isTTY: false })
    input.write('\n\nocf1AAAA\n')
    expect(await pasted).toBe('\n\nocf1AAAA\n')
    expect(seen()).toBe('')
  })

  it('a pipe that ends without a line end, or with nothing, is taken as it is', async () => {
    const [with_, without] = [terminal({ isTTY: false }), terminal({ isTTY: false })]
    with_.input.end('ocf1AAAA')
    without.input.end()
    expect([await with_.pasted, await without.pasted]).toEqual(['ocf1AAAA\n', ''])
  })

  it('a pipe without end does not fill the memory', async () => {
    const { input, pasted } = terminal({ isTTY: false })
    for (let count = 0; count < 40; count += 1) input.write('x'.repeat(1_000))
    expect((await pasted)?.length).toBeLessThanOrEqual(20_000)
  })
})

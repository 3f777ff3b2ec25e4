import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { terminalPrompt } from '../../../src-main/cli/prompt.js'

/** A terminal in memory; `isTTY` false for a pipe. */
function terminal(isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.ReadStream & PassThrough
  const output = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream & PassThrough
  return { input, output, ask: terminalPrompt(input, output) }
}

describe('the question at a terminal', () => {
  it('the question at a terminal is written there, and its answer is the line that is typed', async () => {
    const { input, output, ask } = terminal()
    const answer = ask?.('Same? ', new AbortController().signal)
    input.write('yes\n')
    expect(await answer).toBe('yes')
    expect(String(output.read())).toContain('Same? ')
  })

  it('the question at a terminal has no answer where input ends, or where it is taken back', async () => {
    const ended = terminal()
    const first = ended.ask?.('Same? ', new AbortController().signal)
    ended.input.end()
    expect(await first).toBeUndefined()
    const { ask } = terminal()
    const back = new AbortController()
    const second = ask?.('Same? ', back.signal)
    back.abort()
    expect(await second).toBeUndefined()
  })

  it('no question is asked of a pipe', () => {
    expect(terminal(false).ask).toBeUndefined()
  })
})

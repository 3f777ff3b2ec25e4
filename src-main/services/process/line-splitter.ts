/** Cuts a stream of bytes into lines. */
export interface LineSplitter {
  push(chunk: Uint8Array): string[]
  /** The last line, where no line break followed it. */
  end(): string[]
}

/** Lines longer than `maxLength` characters are cut there, and the rest of them is dropped. */
export function createLineSplitter(options: { maxLength: number }): LineSplitter {
  const decoder = new TextDecoder()
  let pending = ''

  function take(text: string): string[] {
    const pieces = (pending + text).split('\n')
    // One character more than is shown, so that a cut line is known as such.
    pending = (pieces.pop() ?? '').slice(0, options.maxLength + 1)
    return pieces.map(shown).filter((line) => line !== '')
  }

  function shown(line: string): string {
    const whole = line.endsWith('\r') ? line.slice(0, -1) : line
    return whole.length > options.maxLength ? `${whole.slice(0, options.maxLength)}…` : whole
  }

  return {
    push: (chunk) => take(decoder.decode(chunk, { stream: true })),
    end: () => (pending === '' ? [] : take(`${decoder.decode()}\n`)),
  }
}

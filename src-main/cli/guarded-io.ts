import { printable } from '../logging/index.js'
import type { CliIo, HostIo, TextSink } from './io.js'

const ESCAPE = '\u001b'
/** The colours of this program's own lines. */
const OWN_COLOURS = new RegExp(`(${ESCAPE}\\[(?:0|1|22|31|32|33|36|90)m)`)
/** Joiners that some scripts are not written without, and the mark for coloured emoji: prose may have them. */
const PROSE = '\u200c\u200d\ufe0f'

/**
 * The world of the command line, with everything that it prints made harmless: models, peers and errors have names and
 * sentences of strangers, and a place that forgets that must not matter.
 */
export function guardedIo(io: HostIo): CliIo {
  const { ask, stdout } = io
  return {
    ...io,
    stdout: guarded(stdout),
    stderr: guarded(io.stderr),
    ask: ask && ((question, signal) => ask(printable(question, '\n'), signal)),
    writeData: (text) => stdout.write(stdout.isTTY === true ? harmless(text, `\n\t${PROSE}`) : text),
  }
}

function guarded(sink: TextSink): TextSink {
  const isTerminal = sink.isTTY === true
  const plain = (text: string): string => harmless(text, '\n\t')
  const coloured = (text: string): string =>
    text
      .split(OWN_COLOURS)
      // Every other piece is what was split at.
      .map((piece, index) => (index % 2 === 1 ? piece : plain(piece)))
      .join('')
  return {
    isTTY: isTerminal,
    get columns() {
      return sink.columns
    },
    write: (text) => sink.write(isTerminal ? coloured(text) : plain(text)),
  }
}

const harmless = (text: string, keep: string): string => printable(text.replaceAll('\r\n', '\n'), keep)

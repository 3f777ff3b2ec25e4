import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { MAX_PASTED_LENGTH } from '#shared/contract/people/invites.js'
import { AppError } from '#shared/errors.js'
import { sizeText } from '#shared/figures.js'
import type { CliIo } from './io.js'

/** Lines of one paste come together; an invite that a mail program broke is more than one. */
const NEXT_LINE_WITHIN_MS = 100

/** The text of a file given on the command line. @throws AppError `invalid_settings` where it can't be read */
export function readTextFile(io: Pick<CliIo, 'cwd' | 'readFile'>, file: string): string {
  const path = resolve(io.cwd ?? process.cwd(), file)
  try {
    const text = io.readFile === undefined ? readFileSync(path, 'utf8') : io.readFile(path)
    if (text !== undefined) return text
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new AppError('invalid_settings', `${path} can’t be read: ${code ?? message}.`, { cause: error })
  }
  throw new AppError('invalid_settings', `There is no file ${path}.`)
}

/** A text of this size is the largest that is sent. */
const MAX_INPUT_BYTES = 16_000_000

/** All of an input that is no terminal. @throws AppError `invalid_settings` where it is too much */
export async function readInput(input: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of input) {
    length += chunk.length
    if (length > MAX_INPUT_BYTES) {
      throw new AppError(
        'invalid_settings',
        `More than ${sizeText(MAX_INPUT_BYTES)} came in: that is too much for one question.`,
      )
    }
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks).toString()
}

/** Where a person pastes, and where they are asked to. */
interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean }
  output: { write(text: string): unknown }
}

/**
 * The lines of one paste or of a pipe: on a terminal behind `prompt` and without showing them. Undefined where the person
 * presses Ctrl-C.
 */
export function readPasted({ input, output }: Terminal, prompt: string): Promise<string | undefined> {
  const isTyped = input.isTTY === true
  // It echoes what is typed into nothing. First, for until then the terminal itself shows what comes.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: isTyped, historySize: 0 })
  if (isTyped) output.write(prompt)
  const { promise, resolve: finish } = Promise.withResolvers<string | undefined>()
  let text = ''
  let length = 0
  let settling: NodeJS.Timeout | undefined
  const end = (): void => lines.close()
  // A line without an end is not gathered for ever.
  const onData = (chunk: Buffer | string): void => {
    length += chunk.length
    if (length > MAX_PASTED_LENGTH) end()
  }
  input.on('data', onData)
  lines.on('SIGINT', () => {
    finish(undefined)
    end()
  })
  lines.on('line', (line) => {
    text = `${text}${line}\n`.slice(0, MAX_PASTED_LENGTH)
    clearTimeout(settling)
    if (isTyped || text.trim() !== '') settling = setTimeout(end, NEXT_LINE_WITHIN_MS)
  })
  lines.on('close', () => {
    clearTimeout(settling)
    input.off('data', onData)
    input.pause()
    if (isTyped) output.write('\n')
    finish(text)
  })
  return promise
}

import { setTimeout as wait } from 'node:timers/promises'
import type { LogLine } from '#shared/contract/node/logs.js'
import { AppError } from '#shared/errors.js'
import { counted } from '#shared/figures.js'
import { type SettingProblem, quote } from '../../../config/index.js'
import { formatTextLine, type LineLevel } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { mayColour } from '../../table.js'

/** The options of `ocf logs`. */
export const LOGS_OPTIONS: [flags: string, help: string][] = [
  ['-f, --follow', 'Goes on with new lines until Ctrl-C, also when the node starts again.'],
  ['-n, --lines [value]', 'How many of the last lines (default: 50, 1000 at most).'],
  ['--level [value]', 'Only lines of this level and above: trace, debug, info, warn or error.'],
]

const DEFAULT_LINES = 50
/** The contract's bound. */
const MAX_LINES = 1_000
/** The levels that `--level` takes. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
const LEVELS = [...LOG_LEVELS, 'fatal'] as const
const LOOK_EVERY_MS = 500
/** Lines asked for at each look; where more were written meanwhile, all there are. */
const LINES_A_LOOK = 100

type Own = Readonly<Record<string, unknown>>

/** What is wrong with the options of `ocf logs`. */
export function logsProblems({ lines, level }: Own): SettingProblem[] {
  const problems: SettingProblem[] = []
  if (lines !== undefined && readLines(lines) === undefined)
    problems.push({ source: 'flag --lines', sentence: `It takes a number from 1 to ${MAX_LINES}.` })
  if (level !== undefined && levelIndex(level) < 0)
    problems.push({
      source: 'flag --level',
      sentence: `${quote(level)} is no level; there are ${LOG_LEVELS.join(', ')}.`,
    })
  return problems
}

const readLines = (value: unknown): number | undefined => {
  const count = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : 0
  return count >= 1 && count <= MAX_LINES ? count : undefined
}

const levelIndex = (level: unknown): number => LEVELS.findIndex((known) => known === level)

/**
 * `ocf logs`: the last lines of the running node's log; with `--follow` also those that come, over restarts of the node.
 * Rejects with `node_not_running` where none runs at the beginning.
 */
export async function runLogs(
  needs: { io: CliIo; client: ControlClient },
  { own, json }: { own: Own; json: boolean },
): Promise<number> {
  const { io, client } = needs
  const least = Math.max(0, levelIndex(own.level))
  const colour = mayColour(io)
  const print = (lines: readonly LogLine[]): void => {
    const shown = lines.filter(({ level }) => LEVELS.indexOf(level) >= least)
    io.stdout.write(shown.map((line) => (json ? `${JSON.stringify(line)}\n` : textOf(line, colour))).join(''))
  }
  const lines = await client.call('logs.recent', { lines: readLines(own.lines) ?? DEFAULT_LINES })
  print(lines)
  if (own.follow !== true) return EXIT.ok
  return await follow(needs, lines.at(-1)?.seq ?? -1, print)
}

async function follow(
  { io, client }: { io: CliIo; client: ControlClient },
  from: number,
  print: (lines: readonly LogLine[]) => void,
): Promise<number> {
  const interrupted = new AbortController()
  const stopListening = io.onInterrupt(() => interrupted.abort())
  let seen = from
  let isAway = false
  try {
    while (!interrupted.signal.aborted) {
      await wait(LOOK_EVERY_MS, undefined, { signal: interrupted.signal })
      const news = await linesAfter(client, seen)
      if (news === undefined) {
        if (!isAway) io.stderr.write('The node is not running. Waiting for its next start; Ctrl-C ends.\n')
        isAway = true
        continue
      }
      isAway = false
      if (news.missing > 0) io.stderr.write(`(${counted(news.missing, 'line')} in between can’t be had any more)\n`)
      print(news.lines)
      seen = news.seen
    }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
  } finally {
    stopListening()
  }
  return EXIT.interrupted
}

/** What was written after line `seen`; undefined while the node is away. A node that was started again counts anew. */
async function linesAfter(
  client: ControlClient,
  seen: number,
): Promise<{ lines: LogLine[]; missing: number; seen: number } | undefined> {
  try {
    let lines = await client.call('logs.recent', { lines: LINES_A_LOOK })
    const last = lines.at(-1)?.seq ?? seen
    const after = last < seen ? -1 : seen
    const first = (): number => lines[0]?.seq ?? last
    if (first() > after + 1) lines = await client.call('logs.recent', { lines: MAX_LINES })
    const missing = last < seen ? 0 : Math.max(0, first() - (after + 1))
    const news = lines.filter(({ seq }) => seq > after)
    return { lines: news, missing, seen: news.at(-1)?.seq ?? last }
  } catch (error) {
    if (error instanceof AppError && error.code === 'node_not_running') return undefined
    throw error
  }
}

function textOf({ fields, level, ...line }: LogLine, colour: boolean): string {
  const known = fields === '' ? {} : (JSON.parse(fields) as Parameters<typeof formatTextLine>[0]['fields'])
  const lineLevel: LineLevel = level === 'fatal' ? 'error' : level
  return formatTextLine({ ...line, level: lineLevel, fields: known }, { colour })
}

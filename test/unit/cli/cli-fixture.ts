import type { CallName } from '#shared/contract/index.js'
import type { CliHandlers, ControlClient, HostIo } from '../../../src-main/cli/io.js'
import { runCli } from '../../../src-main/cli/run.js'

/** What a node answers that knows no one and did nothing. */
const NOTHING_YET: Partial<Record<CallName, unknown>> = { 'people.list': [], 'peers.list': [], 'traffic.recent': [] }

/** A command line in a world of its own: what it printed, what it started, whom it asked. */
export function cli(
  given: {
    env?: Record<string, string>
    files?: Record<string, string>
    tty?: boolean
    /** What a person pastes when asked; left out: Ctrl-C. */
    pasted?: string
    /** What a person types at the terminal, line by line; then Ctrl-D. */
    typed?: readonly (string | (() => string))[]
    /** What a program pipes in. */
    piped?: string
    handlers?: Partial<CliHandlers>
    /** Answers of the running node, by call; a function is asked each time. */
    answers?: Partial<Record<CallName, unknown>>
    /** Words that no command knows don't stop it. */
    isTolerant?: boolean
    /** A person's browser. */
    openInBrowser?: (file: string) => void
  } = {},
) {
  const out: string[] = []
  const err: string[] = []
  const started: [command: string, given: unknown][] = []
  const connected: string[] = []
  const interrupts = new Set<() => void>()
  const typed = [...(given.typed ?? [])]
  const io: HostIo = {
    stdout: { write: (text) => out.push(text), isTTY: given.tty ?? false, columns: 120 },
    stderr: { write: (text) => err.push(text), isTTY: given.tty ?? false, columns: 120 },
    env: given.env ?? {},
    cwd: '/cwd',
    folders: { data: '/os/data', config: '/os/config' },
    readFile: (path) => given.files?.[path],
    readPasted(prompt) {
      err.push(prompt)
      return Promise.resolve(given.pasted)
    },
    ...(given.piped === undefined ? {} : { readInput: () => Promise.resolve(given.piped!) }),
    ...(given.typed === undefined
      ? {}
      : {
          ask(question: string) {
            out.push(question)
            const line = typed.shift()
            return Promise.resolve(typeof line === 'function' ? line() : line)
          },
        }),
    onInterrupt(listener) {
      interrupts.add(listener)
      return () => interrupts.delete(listener)
    },
    openInBrowser: given.openInBrowser,
  }
  const note = (command: string) => (options: unknown) => {
    started.push([command, options])
    return Promise.resolve(0)
  }
  const handlers = { start: note('start'), app: note('app'), demo: note('demo'), ...given.handlers }
  const client = {
    call: async (name: CallName, input: unknown) => {
      const answer = given.answers?.[name] ?? NOTHING_YET[name]
      return typeof answer === 'function' ? ((await answer(input)) as unknown) : answer
    },
    dashboard: ({ replace }) => Promise.resolve(`http://127.0.0.1:8093/#token=${replace ? 'new' : 'kept'}`),
  } as ControlClient
  return {
    run: (...argv: string[]) =>
      runCli(argv, {
        ...{ io, handlers, isTolerant: given.isTolerant },
        connect: (dataDir) => (connected.push(dataDir), client),
      }),
    io,
    client,
    started,
    connected,
    interrupts,
    output: () => out.join(''),
    errors: () => err.join(''),
  }
}

import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { AppError } from '#shared/errors.js'

/** For libraries that pass on the system's words without its code: LevelDB, the QUIC library, libp2p's listeners. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/EADDRINUSE|address already in use|only one usage of each socket address/i, 'EADDRINUSE'],
  [/EADDRNOTAVAIL|(?:cannot|can't) assign requested address|address not available/i, 'EADDRNOTAVAIL'],
  [/ENFILE|too many open files in system|file table overflow/i, 'ENFILE'],
  [/EMFILE|too many open files/i, 'EMFILE'],
  [/ENOSPC|no space left on device/i, 'ENOSPC'],
  [/EDQUOT|disk quota exceeded/i, 'EDQUOT'],
  [/EROFS|read-only file system/i, 'EROFS'],
  [/EACCES|permission denied/i, 'EACCES'],
]

/** The operating system's code (`ENOSPC`) for an error or what caused it; undefined where it has none. */
export function systemCodeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = ownCode(cause) ?? systemCodeIn(cause.message)
    if (code !== undefined) return code
  }
  return undefined
}

/** The same for a text in the system's words. */
export function systemCodeIn(text: string): string | undefined {
  return WORDS.find(([words]) => words.test(text))?.[1]
}

function ownCode(error: Error): string | undefined {
  const { code, errno } = error as NodeJS.ErrnoException
  // `os.networkInterfaces` gives the plain number, and its sign differs from that of other calls.
  if (code === 'ERR_SYSTEM_ERROR' && typeof errno === 'number' && errno !== 0) return nameOf(errno)
  return code !== undefined && /^E[A-Z\d]+$/.test(code) ? code : undefined
}

function nameOf(errno: number): string | undefined {
  if (errno === constants.errno.EMFILE) return 'EMFILE'
  if (errno === constants.errno.ENFILE) return 'ENFILE'
  const name = getSystemErrorName(-Math.abs(errno))
  return /^E[A-Z\d]+$/.test(name) ? name : undefined
}

/** True when the process or the machine has no descriptor left for one more file or socket. */
export function isOutOfDescriptors(error: unknown): boolean {
  const code = systemCodeOf(error)
  return code === 'EMFILE' || code === 'ENFILE'
}

/** For a process that has no descriptor left, or too few to start. */
export function tooManyOpenFiles(cause?: unknown): AppError {
  return new AppError(
    'too_many_open_files',
    'This program has reached its limit of open files (EMFILE). Raise it, for example with `ulimit -n 4096` in the ' +
      'shell or `LimitNOFILE=4096` in a systemd unit, and start again.',
    { cause },
  )
}

/**
 * What a start lacked, under its code: `too_many_open_files` or `disk_full`, with what to do. Undefined when `error` has
 * another cause. `dir` is the data folder.
 */
export function shortageError(error: unknown, dir: string): AppError | undefined {
  const code = systemCodeOf(error)
  switch (code) {
    case 'EMFILE':
      return tooManyOpenFiles(error)
    case 'ENFILE':
      return new AppError(
        'too_many_open_files',
        'This machine has reached its limit of open files (ENFILE). Stop other programs or raise the limit of the ' +
          'system, and start again.',
        { cause: error },
      )
    case 'ENOSPC':
    case 'EDQUOT':
      return new AppError(
        'disk_full',
        `The disk of the data folder ${dir} is full (${code}). Free some space, or pass a folder on another disk with ` +
          '--data-dir.',
        { cause: error },
      )
    default:
      return undefined
  }
}

import { AppError } from '#shared/errors.js'

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'this account’s share of the disk is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'this account may not write there',
  EPERM: 'this account may not write there',
  EISDIR: 'there is a folder of that name',
  ENOTEMPTY: 'there is a folder of that name',
  EEXIST: 'there is a folder of that name',
  ENOTDIR: 'its folder is a file',
  ENOENT: 'its folder is gone',
  EIO: 'the disk reports an error',
}

/** Why a file could not be written, in words that follow "because". */
export function whyNotWritten(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return REASONS[code ?? ''] ?? (error instanceof Error ? message : String(error))
}

/**
 * The error `data_dir_unusable` for something that had to be stored and was not. `consequence` is what this means for the
 * person, as a sentence without its full stop: `Nothing is shared`.
 */
export function notStored(consequence: string, file: string, cause: unknown): AppError {
  return new AppError(
    'data_dir_unusable',
    `${consequence}: ${file} can’t be written, because ${whyNotWritten(cause)}. Check the disk and the folder, then try again.`,
    { cause },
  )
}

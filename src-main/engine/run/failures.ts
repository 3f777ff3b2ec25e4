/** Why a model’s process is not there any more. */
export interface Ending {
  /** How the system tells it: `exit code 3`, `signal SIGKILL`. */
  how: string
  /** It ended before the model was ready. */
  wasLoading: boolean
  /** What it said itself, where it did. */
  said: string | undefined
  /** Its last words on standard error. */
  lastWords: string
}

/** What happened, for a person, and whether another try with the same file makes sense. */
export interface Failure {
  sentence: string
  isFinal: boolean
}

const RULES: readonly { words: RegExp; sentence: string; isFinal?: true }[] = [
  {
    words: /unknown model architecture|unknown architecture/i,
    sentence: 'The engine does not know this kind of model yet.',
    isFinal: true,
  },
  {
    words: /invalid magic|failed to load model|tensor .*(?:not found|wrong shape|out of bounds)|corrupt|incomplete/i,
    sentence: 'The file can’t be loaded: it is damaged or incomplete.',
    isFinal: true,
  },
  { words: /ENOENT|no such file/i, sentence: 'The file is gone.', isFinal: true },
  {
    words: /device ?lost|CUDA error|vk::.*Error|GGML_ASSERT|ErrorDeviceLost/i,
    sentence: 'The GPU failed while it was working.',
  },
  {
    words:
      /insufficient memory|out of memory|not enough (?:v?ram|memory)|bad_alloc|failed to allocate|too large for the available/i,
    sentence: 'There is not enough memory for it now. Choose a smaller context, or close other programs.',
  },
  { words: /illegal instruction|SIGILL/i, sentence: 'The engine can’t run on this processor.', isFinal: true },
  {
    words: /NoBinaryFound|ERR_MODULE_NOT_FOUND|ERR_DLOPEN_FAILED|Cannot find (?:package|module)/i,
    sentence: 'The engine is incomplete. Remove it and install it again.',
    isFinal: true,
  },
]

/** What an ending means. */
export function failureOf(ending: Ending): Failure {
  const said = `${ending.said ?? ''}\n${ending.lastWords}\n${ending.how}`
  const rule = RULES.find(({ words }) => words.test(said))
  if (rule !== undefined) return { sentence: rule.sentence, isFinal: rule.isFinal === true }
  if (ending.how.includes('SIGKILL')) {
    return { sentence: 'The system ended its process, most likely for lack of memory.', isFinal: false }
  }
  const when = ending.wasLoading ? 'while it loaded the model' : 'while it worked'
  return { sentence: `The engine’s process ended ${when} (${ending.how}).`, isFinal: false }
}

const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 10 * 60_000

/** How long a model that failed so many times in a row is left alone, in milliseconds. */
export function pauseAfter(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1), LONGEST_PAUSE_MS)
}

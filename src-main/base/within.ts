/**
 * What `work` gives, or what `late` gives (or throws) when it takes longer than `limitMs`. The work goes on then; it is
 * up to the caller to end it. The timer keeps no process alive.
 */
export async function within<Result, Late>(
  work: Promise<Result>,
  limitMs: number,
  late: () => Late,
): Promise<Result | Late> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, limitMs, 'late').unref()
  })
  try {
    const first = await Promise.race([work.then((result) => ({ result })), limit])
    return first === 'late' ? late() : first.result
  } finally {
    clearTimeout(timer)
  }
}

import { AppError } from '#shared/errors.js'

/** Requests at work on the local door at one time. */
export interface OriginBounds {
  /** Of this machine's programs, which send no `Origin`. */
  programs: number
  /** Of the pages of one origin. */
  origin: number
  /** Of the pages of all origins together. */
  pages: number
}

/** Far above what people need, and far below what would take the gateway away from everybody else. */
const ORIGIN_BOUNDS: OriginBounds = { programs: 4_096, origin: 64, pages: 512 }

/** Keeps one web page from taking the whole gateway. */
export interface OriginLimits {
  /**
   * A request begins; call what is returned when it is over (more than once does no harm).
   * @throws AppError `rate_limited`
   */
  enter(origin: string | undefined): () => void
}

export function createOriginLimits(bounds: OriginBounds = ORIGIN_BOUNDS): OriginLimits {
  // Bounded by `pages`: an origin without a request is forgotten.
  const running = new Map<string, number>()
  let programs = 0
  let pages = 0

  function enterProgram(): () => void {
    if (programs >= bounds.programs) throw tooMany('This machine’s programs have')
    programs += 1
    return once(() => {
      programs -= 1
    })
  }

  function enterPage(origin: string): () => void {
    const count = running.get(origin) ?? 0
    if (count >= bounds.origin) throw tooMany('Pages of this origin have')
    if (pages >= bounds.pages) throw tooMany('Web pages have')
    running.set(origin, count + 1)
    pages += 1
    return once(() => {
      pages -= 1
      const left = (running.get(origin) ?? 1) - 1
      if (left === 0) running.delete(origin)
      else running.set(origin, left)
    })
  }

  return { enter: (origin) => (origin === undefined ? enterProgram() : enterPage(origin)) }
}

function tooMany(who: string): AppError {
  return new AppError('rate_limited', `${who} too many requests at work at this gateway. Wait for some of them.`, {
    retryAfterS: 1,
  })
}

function once(act: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}

/** The scheme of links that lead into the app, without the colon. */
export const LINK_SCHEME = 'ocf'

/** The pages a link may name: those of the dashboard. */
export const LINKED_PAGES = ['home', 'chat', 'share', 'models', 'network', 'traffic', 'settings'] as const
/** A page, or the question whether to accept the invite behind `join/`. */
export type LinkedPage = (typeof LINKED_PAGES)[number] | `join/${string}`

/** An invite as it is written: base64url behind its version. */
const JOIN = /^ocf:\/\/join\/(ocf[0-9]{1,2}[A-Za-z0-9_-]{1,600})\/?$/

/**
 * The page that `ocf://models` names, or `join/…` for an invite; undefined for everything else. Any web page can open such
 * a link, so it does nothing but show a page; that of an invite asks before anything is done.
 */
export function parseDeepLink(link: string): LinkedPage | undefined {
  const invite = JOIN.exec(link)?.[1]
  if (invite !== undefined) return `join/${invite}`
  // Some systems add a slash. Nothing is decoded, trimmed or split: anything else is refused.
  const name = /^ocf:\/\/([a-z]{1,16})\/?$/.exec(link)?.[1]
  return LINKED_PAGES.find((page) => page === name)
}

/** Quotes, white space and control characters before a link don't hide it. */
const LINK = new RegExp(`^[^\\p{L}\\p{N}./\\\\-]*${LINK_SCHEME}:`, 'iu')

/** Whether an argument is meant as such a link, well formed or not. */
export function isLink(argument: string): boolean {
  return LINK.test(argument)
}

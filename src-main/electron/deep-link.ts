/** The scheme of links that lead into the app, without the colon. */
export const LINK_SCHEME = 'ocf'

/** The pages a link may name: those of the dashboard. */
export const LINKED_PAGES = ['home', 'share', 'models', 'network', 'traffic', 'settings'] as const
export type LinkedPage = (typeof LINKED_PAGES)[number]

/**
 * The page that `ocf://models` names; undefined for everything else. Any web page can open such a link, so it carries no
 * arguments and does nothing but show a page.
 */
export function parseDeepLink(link: string): LinkedPage | undefined {
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

/** The pages in the order of the rail. */
export const PAGES = ['home', 'share', 'models', 'network', 'traffic', 'settings'] as const
export type PageName = (typeof PAGES)[number]

/** The page an address like `#/models` names; anything else is Home. */
export function pageOf(hash: string): PageName {
  const name = hash.replace(/^#\/?/, '')
  return PAGES.find((page) => page === name) ?? 'home'
}

/** The link to a page. */
export function linkTo(page: PageName): string {
  return `#/${page}`
}

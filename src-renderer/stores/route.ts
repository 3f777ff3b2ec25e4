/** The pages in the order of the rail. */
export const PAGES = ['home', 'chat', 'share', 'models', 'network', 'traffic', 'settings'] as const
export type PageName = (typeof PAGES)[number]

/** What stands in the place of a peer where the doctor on the Network page is meant; no peer id is that short. */
export const DOCTOR_ITEM = 'doctor'

/** The same for the dialog that makes an invite. */
export const INVITE_ITEM = 'invite'

/** What this computer served, on the Share page. */
export const LEDGER_ITEM = '~ledger'

/** Two models beside each other, on the Chat page. */
export const COMPARE_ITEM = '~compare'

/** Where a person joins others, on the Network page. */
export const JOIN_ITEM = 'join'

/** The table of all settings by their key; no setting is called so. */
export const ADVANCED_ITEM = '~advanced'

/** Where one is: a page, and what is open on it (a model, a peer, a request, a setting). */
export interface Route {
  page: PageName
  /** Undefined for the page itself. */
  item: string | undefined
}

/** What an address like `#/models/llama3.2%3A3b` names; anything else is Home. */
export function routeOf(hash: string): Route {
  const [name = '', ...rest] = hash.replace(/^#\/?/, '').split('/')
  const page = PAGES.find((known) => known === name)
  if (page === undefined) return { page: 'home', item: undefined }
  const item = decode(rest.join('/'))
  return { page, item: item === '' ? undefined : item }
}

/** The invite that an address like `#/join/ocf1…` brings; undefined for every other one. */
export function inviteIn(hash: string): string | undefined {
  const [, text] = /^#\/join\/(.+)$/.exec(hash) ?? []
  const invite = text === undefined ? '' : decode(text)
  return invite === '' ? undefined : invite
}

/** The link to a page, or to a thing on it. */
export function linkTo(page: PageName, item?: string): string {
  return item === undefined ? `#/${page}` : `#/${page}/${encodeURIComponent(item)}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return '' // A link somebody broke leads to the page.
  }
}

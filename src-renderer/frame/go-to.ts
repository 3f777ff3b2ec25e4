import { linkTo, type PageName } from '../stores/route.js'

/** Goes to a page, or to a thing on it. */
export function goTo(page: PageName, item?: string): void {
  location.hash = linkTo(page, item)
}

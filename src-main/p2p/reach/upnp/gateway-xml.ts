/**
 * The text inside the first element of that name, whatever its namespace; undefined where there is none. UPnP's answers
 * are flat, so no parser is needed, and this one takes time in proportion to the text, whoever wrote it.
 */
export function elementText(xml: string, name: string): string | undefined {
  const match = new RegExp(`<(?:[\\w-]{1,32}:)?${name}(?:\\s[^<>]*)?>([^<]*)</`, 'i').exec(xml)
  return match?.[1] === undefined ? undefined : unescapeXml(match[1].trim())
}

/** The insides of all elements of that name, at most `limit`, each cut off after 4 KiB. */
export function elements(xml: string, name: string, limit: number): string[] {
  const parts = xml.split(new RegExp(`<(?:[\\w-]{1,32}:)?${name}>`, 'i'), limit + 1)
  return parts.slice(1).map((part) => part.slice(0, 4096))
}

/** Text as it may stand between two tags. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&]/g, (char) => ({ '<': '&lt;', '>': '&gt;' })[char] ?? '&amp;')
}

function unescapeXml(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name] ?? '')
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

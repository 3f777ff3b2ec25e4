import { strings } from '../../strings/all.js'

/** Why a request failed, in words: for a code of the error vocabulary or `http_<status>`. */
export function causeOf(code: string): string {
  const [, status] = /^http_(\d{3})$/.exec(code) ?? []
  if (status !== undefined) return strings.traffic.httpError(status)
  return strings.causes[code] ?? code
}

/**
 * `11434`, `localhost:11434`, `http://[::1]:8080/v1` as host and port; undefined when it is none of these. A port alone
 * is one of `localhost`.
 */
export function readAddress(text: string): { host: string; port: number } | undefined {
  const bare = text
    .trim()
    .replace(/^https?:\/\//i, '')
    .replace(/\/.*$/, '')
  const parts = /^(?:(?:\[([0-9a-f:.]+)\]|([^:[\]\s/]+)):)?(\d{1,5})$/i.exec(bare)
  const port = Number(parts?.[3])
  if (parts === null || port < 1 || port > 65_535) return undefined
  return { host: parts[1] ?? parts[2] ?? 'localhost', port }
}

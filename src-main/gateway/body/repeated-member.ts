/**
 * Whether the object in valid JSON `text` has more than one member `name`, in whatever spelling. Parsers keep the last
 * one or the first, so such a body says different things to different readers.
 */
export function hasRepeatedMember(text: string, name: string): boolean {
  const plain = `"${name}"`
  const first = text.indexOf(plain)
  const isPlainTwice = first !== -1 && text.includes(plain, first + plain.length)
  // Only \u00.. can stand for a letter of a name.
  if (!isPlainTwice && !text.includes('\\u00')) return false
  return countMembers(text, name) > 1
}

function countMembers(text: string, name: string): number {
  let count = 0
  let depth = 0
  let isKeyNext = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') {
      const end = endOfString(text, at)
      if (isKeyNext && JSON.parse(text.slice(at, end + 1)) === name) count += 1
      isKeyNext = false
      at = end
    } else if (character === '{' || character === '[') {
      depth += 1
      isKeyNext = depth === 1
    } else if (character === '}' || character === ']') depth -= 1
    else if (character === ',') isKeyNext = depth === 1
  }
  return count
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at
  }
  return text.length
}

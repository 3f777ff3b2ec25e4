/** The prose of a Markdown page: no code, tables, front matter, links or markup. Paragraphs stay apart. */
export function toPlainText(markdown: string): string {
  const withoutBlocks = markdown
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/^(```|~~~)[\s\S]*?^\1.*$/gm, '')
    .replace(/<!--[\s\S]*?-->/g, '')
  return withoutBlocks
    .split('\n')
    .filter((line) => !/^\s*\||^\s{4,}\S|^\s*(?:[-*_]\s*){3,}$|^\s*#/.test(line))
    .map(toPlainLine)
    .join('\n')
}

function toPlainLine(line: string): string {
  return line
    .replace(/^\s*(?:>\s*)+/, '')
    .replace(/^\s*(?:[-*+]|\d+[.)])\s+/, '')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/<[^>\s][^>]*>/g, '')
    .replace(/`[^`]*`/g, '')
    .replace(/\*\*|__|\*|~~/g, '')
}

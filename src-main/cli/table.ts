import { styleText } from 'node:util'
import Table from 'cli-table3'
import { printable } from '../logging/index.js'
import type { CliIo } from './io.js'

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Rows under headings, aligned, without borders; cells may come from peers and are made printable. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { colour: boolean },
): string {
  const table = new Table({
    head: options.colour ? head.map((title) => styleText('bold', title, { validateStream: false })) : [...head],
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  })
  table.push(...rows.map((row) => row.map((cell) => printable(cell))))
  const lines = table.toString().split('\n')
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

/** Colours are for terminals, and only where https://no-color.org does not say otherwise. */
export function mayColour(io: Pick<CliIo, 'stdout' | 'env'>): boolean {
  return io.stdout.isTTY === true && (io.env.NO_COLOR ?? '') === ''
}

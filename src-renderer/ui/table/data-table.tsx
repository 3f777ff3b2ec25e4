import { useVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useRef, useState, type CSSProperties, type ReactNode } from 'react'
import { useWidth } from '../layout/use-width.js'
import styles from './data-table.module.css'
import { sortRows, type Sorting, type SortKey } from './sort-rows.js'
import { TableHead } from './table-head.js'

/** One column of a {@link DataTable}. */
export interface Column<Row> {
  key: string
  header: string
  /** Explains the header on hover. */
  hint?: string
  /** Numbers stand to the right, so that their digits line up. */
  numeric?: boolean
  /** Left out where the column without a width would get less than 40 % of the table: the lowest first, from the left. */
  minor?: 1 | 2 | 3 | 4 | 5
  /** Whether it says anything of a row; left out where it says nothing of any. Without it, it always does. */
  has?: (row: Row) => boolean
  /** In pixels; the one without takes what room is left and cuts what does not fit. */
  width?: number
  /** What rows are sorted by after a click on the head; without it, they are not. */
  sortBy?: (row: Row) => SortKey
  /** The first click puts the largest on top: for figures of which more is better. */
  largestFirst?: boolean
  cell: (row: Row) => ReactNode
}

const ROW_HEIGHT = 40
/** From here on only the rows in view are drawn, in a box that scrolls by itself. */
const VIRTUAL_FROM = 60

/**
 * Rows of facts; columns keep their width and rows their place whatever streams in. Long lists are virtual: only what is
 * in view is drawn, and what the reader looks at stays put when rows arrive above it.
 */
export function DataTable<Row>({
  label,
  columns: all,
  rows: unsorted,
  rowKey,
  dim,
  isBoxed = false,
  onOpen,
}: {
  /** What the table is, for those who can't see it. */
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string
  dim?: (row: Row) => boolean
  /** In a box that scrolls however few the rows are, so that what comes below it keeps its place. */
  isBoxed?: boolean
  /** A click anywhere in a row; the keyboard needs a link or button in one of its cells. */
  onOpen?: (row: Row) => void
}) {
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box) ?? Infinity
  const columns = columnsThatFit(
    all.filter(({ has }) => has === undefined || unsorted.some(has)),
    width,
  )
  const [sorting, setSorting] = useState<Sorting>()
  const sortBy = columns.find(({ key }) => key === sorting?.column)?.sortBy
  const rows = sortBy === undefined ? unsorted : sortRows(unsorted, sortBy, sorting?.descending === true)
  const isVirtual = rows.length >= VIRTUAL_FROM
  const virtualizer = useVirtualizer({
    count: rows.length,
    enabled: isVirtual,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    getItemKey: (index) => {
      const row = rows[index]
      return row === undefined ? index : rowKey(row)
    },
  })
  useRowsStayPut(box, rows, rowKey)
  const items = virtualizer.getVirtualItems()
  const first = isVirtual ? (items[0]?.index ?? 0) : 0
  const last = isVirtual ? (items.at(-1)?.index ?? -1) : rows.length - 1
  return (
    <div
      ref={box}
      className={isVirtual || isBoxed ? styles['scroller'] : styles['box']}
      {...(isVirtual || isBoxed ? { tabIndex: 0, role: 'group', 'aria-label': label } : {})}
    >
      <table
        className={styles['table']}
        style={{ '--least': `${leastWidth(columns)}px` } as CSSProperties}
        aria-label={label}
        aria-rowcount={rows.length + 1}
      >
        <colgroup>
          {columns.map((column) => (
            <col key={column.key} className={cellClass(column)} style={{ width: column.width }} />
          ))}
        </colgroup>
        <TableHead columns={columns} classOf={cellClass} sorting={sorting} onSort={setSorting} />
        <tbody>
          <Gap rows={first} columns={columns.length} />
          {rows.slice(first, last + 1).map((row, offset) => (
            <tr
              key={rowKey(row)}
              aria-rowindex={first + offset + 2}
              className={rowClass(dim?.(row) === true, onOpen !== undefined)}
              onClick={onOpen === undefined ? undefined : (event) => openRow(event, () => onOpen(row))}
            >
              {columns.map((column) => (
                <td key={column.key} className={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          <Gap rows={rows.length - 1 - last} columns={columns.length} />
        </tbody>
      </table>
    </div>
  )
}

/** Room for the column without a width where the window is too narrow for the others; the table then scrolls sideways. */
const LEAST_REST = 150

function leastWidth<Row>(columns: readonly Column<Row>[]): number {
  return columns.reduce((sum, { width }) => sum + (width ?? LEAST_REST), 0)
}

/** What a row is about stands in the column without a width: this share of the table is its own. */
const NAME_SHARE = 0.4

function columnsThatFit<Row>(columns: readonly Column<Row>[], boxWidth: number): readonly Column<Row>[] {
  const others = columns.reduce((sum, { width = 0 }) => sum + width, 0)
  const least = Math.min(...columns.map(({ minor = Infinity }) => minor))
  const dropped = columns.find(({ minor }) => minor === least)
  if (dropped === undefined || boxWidth - others >= boxWidth * NAME_SHARE) return columns
  return columnsThatFit(
    columns.filter((column) => column !== dropped),
    boxWidth,
  )
}

/** The room of rows that are not drawn. */
function Gap({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null
  return (
    <tr aria-hidden="true" className={styles['gap']}>
      <td colSpan={columns} style={{ height: rows * ROW_HEIGHT }} />
    </tr>
  )
}

/** When rows arrive above, a reader who has scrolled down keeps looking at the same ones. */
function useRowsStayPut<Row>(
  box: React.RefObject<HTMLDivElement | null>,
  rows: readonly Row[],
  rowKey: (row: Row) => string,
): void {
  const before = useRef<string>(undefined)
  useLayoutEffect(() => {
    const element = box.current
    const formerFirst = before.current
    before.current = rows[0] === undefined ? undefined : rowKey(rows[0])
    if (element === null || element.scrollTop === 0 || formerFirst === undefined) return
    if (formerFirst === before.current) return
    const shift = rows.findIndex((row) => rowKey(row) === formerFirst)
    if (shift > 0) element.scrollTop += shift * ROW_HEIGHT
  }, [box, rows, rowKey])
}

/** A click on something of its own in a row, or one that ends a selection of text, opens nothing. */
function openRow(event: React.MouseEvent, open: () => void): void {
  if (event.target instanceof Element && event.target.closest('button, a, input, label') !== null) return
  if (getSelection()?.isCollapsed === false) return
  open()
}

function rowClass(isDim: boolean, opens: boolean): string {
  return [isDim ? styles['dim'] : '', opens ? styles['opens'] : ''].join(' ')
}

function cellClass<Row>({ numeric }: Column<Row>): string {
  return (numeric === true ? styles['numeric'] : undefined) ?? ''
}

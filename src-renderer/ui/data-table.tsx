import type { ReactNode } from 'react'
import styles from './data-table.module.css'

/** One column of a {@link DataTable}. */
export interface Column<Row> {
  key: string
  header: string
  /** Explains the header on hover. */
  hint?: string
  /** Numbers stand to the right, so that their digits line up. */
  numeric?: boolean
  /** Left out where the window is narrow. */
  minor?: boolean
  /** Takes what room is left and cuts what does not fit. */
  wide?: boolean
  cell: (row: Row) => ReactNode
}

/** Rows of facts. Rows keep their identity, so nothing is drawn again that did not change. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  rowKey,
  dim,
}: {
  /** What the table is, for those who can't see it. */
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string
  dim?: (row: Row) => boolean
}) {
  return (
    <table className={styles['table']} aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.key} scope="col" className={cellClass(column)} title={column.hint}>
              {column.hint === undefined ? column.header : <abbr className={styles['hint']}>{column.header}</abbr>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)} className={dim?.(row) === true ? styles['dim'] : undefined}>
            {columns.map((column) => (
              <td key={column.key} className={cellClass(column)}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function cellClass<Row>({ numeric, wide, minor }: Column<Row>): string {
  const names = [numeric === true && 'numeric', wide === true && 'wide', minor === true && 'minor'] as const
  return names.map((name) => (name === false ? '' : styles[name])).join(' ')
}

import type { Column } from './data-table.js'
import styles from './data-table.module.css'
import { nextSorting, type Sorting } from './sort-rows.js'

/** The head of a table; columns that rows can be sorted by are buttons. */
export function TableHead<Row>({
  columns,
  classOf,
  sorting,
  onSort,
}: {
  columns: readonly Column<Row>[]
  classOf: (column: Column<Row>) => string
  sorting: Sorting | undefined
  onSort: (sorting: Sorting | undefined) => void
}) {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const own = sorting?.column === column.key ? sorting : undefined
          const name = column.hint === undefined ? column.header : <Hinted header={column.header} />
          return (
            <th
              key={column.key}
              scope="col"
              className={classOf(column)}
              title={column.hint}
              aria-sort={own === undefined ? undefined : own.descending ? 'descending' : 'ascending'}
            >
              {column.sortBy === undefined ? (
                name
              ) : (
                <button
                  type="button"
                  className={styles['sort']}
                  onClick={() => onSort(nextSorting(sorting, column.key))}
                >
                  {name}
                  <span aria-hidden="true">{own === undefined ? '' : own.descending ? ' ↓' : ' ↑'}</span>
                </button>
              )}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}

function Hinted({ header }: { header: string }) {
  return <abbr className={styles['hint']}>{header}</abbr>
}

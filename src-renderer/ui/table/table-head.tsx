import { useRef, type ReactNode } from 'react'
import type { Column } from './data-table.js'
import styles from './data-table.module.css'
import { nextSorting, type Sorting } from './sort-rows.js'

/** The head of a table; columns that rows can be sorted by are buttons, and so are those that have an explanation. */
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
          const { key, hint, header, sortBy, largestFirst } = column
          const own = sorting?.column === key ? sorting : undefined
          const sort = (): void => onSort(nextSorting(sorting, key, { descendingFirst: largestFirst === true }))
          const name = hint === undefined ? header : <abbr className={styles['hint']}>{header}</abbr>
          return (
            <th
              key={key}
              scope="col"
              className={classOf(column)}
              aria-sort={own === undefined ? undefined : own.descending ? 'descending' : 'ascending'}
            >
              {sortBy === undefined && hint === undefined ? (
                name
              ) : (
                <HeadButton hint={hint} onPress={sortBy === undefined ? undefined : sort}>
                  {name}
                  {sortBy !== undefined && (
                    <span aria-hidden="true">{own === undefined ? ' ↕' : own.descending ? ' ↓' : ' ↑'}</span>
                  )}
                </HeadButton>
              )}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}

/** A head to press. What explains it is seen on hover, and as long as it has the focus: keyboards and fingers can't hover. */
function HeadButton({
  hint,
  onPress,
  children,
}: {
  hint: string | undefined
  onPress: (() => void) | undefined
  children: ReactNode
}) {
  const bubble = useRef<HTMLSpanElement>(null)
  const show = (head: HTMLElement): void => {
    const element = bubble.current
    if (element === null || element.matches(':popover-open')) return
    element.showPopover()
    // In the top layer, where no table cuts it: below the head, and within the window.
    const { left, bottom } = head.getBoundingClientRect()
    const most = Math.max(8, document.documentElement.clientWidth - element.offsetWidth - 8)
    element.style.left = `${Math.min(Math.max(8, left), most)}px`
    element.style.top = `${bottom + 6}px`
  }
  const hide = (): void => {
    if (bubble.current?.matches(':popover-open') === true) bubble.current.hidePopover()
  }
  return (
    <>
      <button
        type="button"
        className={styles['sort']}
        title={hint}
        onClick={onPress}
        onFocus={({ currentTarget }) => {
          if (currentTarget.matches(':focus-visible')) show(currentTarget)
        }}
        onPointerUp={({ currentTarget, pointerType }) => {
          if (pointerType === 'touch') show(currentTarget)
        }}
        onKeyDown={({ key }) => {
          if (key === 'Escape') hide()
        }}
        onBlur={hide}
      >
        {children}
      </button>
      {hint !== undefined && (
        <span ref={bubble} popover="manual" role="tooltip" className={styles['bubble']}>
          {hint}
        </span>
      )}
    </>
  )
}

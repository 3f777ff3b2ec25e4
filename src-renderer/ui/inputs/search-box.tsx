import { Icon } from '../icons/icon.js'
import styles from './search-box.module.css'

/** A search field; `/` on the keyboard leads to the first of a page. */
export function SearchBox({
  label,
  value,
  onChange,
}: {
  label: string
  value: string
  onChange: (value: string) => void
}) {
  return (
    <label className={styles['search']}>
      <Icon name="search" size={16} />
      <input
        type="search"
        value={value}
        placeholder={label}
        aria-label={label}
        data-search
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}

import { useEffect, useRef } from 'react'
import styles from './markdown.module.css'

/** No links, no pictures, no size beyond the page, no macro that grows without end, and no colour for what is unknown. */
const LIMITS = {
  ...{ trust: false, throwOnError: true, errorColor: 'currentcolor', maxExpand: 200 },
  maxSize: [20, 20] as [number, number],
}

/** A formula, set as MathML by the browser itself; its TeX until then, and where it can't be read. */
export function Formula({ tex, isBlock }: { tex: string; isBlock: boolean }) {
  const place = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    let isGone = false
    import('temml').then(
      ({ default: temml }) => {
        const element = place.current
        if (isGone || element === null) return
        try {
          temml.render(tex, element, { ...LIMITS, displayMode: isBlock })
        } catch {
          element.textContent = tex
        }
      },
      () => undefined, // The TeX stays.
    )
    return () => void (isGone = true)
  }, [tex, isBlock])
  // React never draws into it again: another formula is another element.
  return (
    <span key={tex} ref={place} className={isBlock ? styles['formula'] : undefined}>
      {tex}
    </span>
  )
}

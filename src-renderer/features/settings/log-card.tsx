import { useEffect, useRef, useState } from 'react'
import type { LogLine } from '#shared/contract/logs.js'
import { useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { FeedView } from '../../ui/feed-view.js'
import { formatClock, formatExact } from '../../ui/format.js'
import styles from './log-card.module.css'

const { settings: words } = strings
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]
const MAX_LINES = 200

/** The end of the log, following it while the reader is at its end. */
export function LogCard() {
  const state = useFeed('logs')
  const [level, setLevel] = useState<Level>('info')
  const choice = (
    <label className={styles['level']}>
      {words.logLevel}
      <select value={level} onChange={(event) => setLevel(event.target.value as Level)}>
        {LEVELS.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  )
  return (
    <Card title={words.log} aside={choice} flush>
      <FeedView state={state}>{(lines) => <Lines lines={lines.filter((line) => isAtLeast(line, level))} />}</FeedView>
    </Card>
  )
}

function isAtLeast(line: LogLine, level: Level): boolean {
  return line.level === 'fatal' || LEVELS.indexOf(line.level) >= LEVELS.indexOf(level)
}

function Lines({ lines }: { lines: readonly LogLine[] }) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const shown = lines.slice(-MAX_LINES)
  useEffect(() => {
    const element = box.current
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight
  }, [shown.at(-1)?.seq])

  if (shown.length === 0) return <Empty icon="check" title={words.logEmpty} />
  const remember = (): void => {
    const element = box.current
    if (element !== null) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 24
  }
  return (
    <div
      ref={box}
      className={styles['lines']}
      onScroll={remember}
      role="log"
      aria-live="off"
      aria-label={words.logTail(shown.length)}
      tabIndex={0}
    >
      {shown.map((line) => (
        <p key={line.seq} className={styles['line']}>
          <time title={formatExact(line.atMs)}>{formatClock(line.atMs)}</time>
          <span className={styles[line.level]}>{line.level}</span>
          <span className={styles['component']}>{line.component}</span>
          <span>
            {line.message} <span className={styles['fields']}>{line.fields}</span>
          </span>
        </p>
      ))}
    </div>
  )
}

import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState } from 'react'
import type { LogLine } from '#shared/contract/node/logs.js'
import { useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings/all.js'
import { formatClock, formatExact } from '../../strings/format.js'
import { CopyButton } from '../../ui/controls/copy-button.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { SearchBox } from '../../ui/inputs/search-box.js'
import { Card } from '../../ui/layout/card.js'
import { Visible } from '../../ui/text/visible.js'
import styles from './log-card.module.css'

const { settings: words } = strings

/** The end of the log, following it while the reader is at its end. */
export function LogCard() {
  const state = useFeed('logs')
  const [level, setLevel] = useState<LogLevel>('info')
  const [text, setText] = useState('')
  return (
    <Card title={words.log} flush>
      <FeedView state={state}>
        {(lines) => {
          const shown = filterLog(lines, level, text)
          return (
            <>
              <div className={styles['tools']}>
                <label className={styles['level']}>
                  {words.logLevel}
                  <select value={level} onChange={(event) => setLevel(event.target.value as LogLevel)}>
                    {LOG_LEVELS.map((name) => (
                      <option key={name}>{name}</option>
                    ))}
                  </select>
                </label>
                <SearchBox label={words.logSearch} value={text} onChange={setText} />
                <CopyButton text={logText(shown)} label={words.logCopy} />
              </div>
              <Lines lines={shown} />
            </>
          )
        }}
      </FeedView>
    </Card>
  )
}

function Lines({ lines }: { lines: readonly LogLine[] }) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => 20,
    overscan: 20,
    getItemKey: (index) => lines[index]?.seq ?? index,
  })
  const newest = lines.at(-1)?.seq
  useEffect(() => {
    if (atEnd.current && lines.length > 0) virtualizer.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [virtualizer, lines.length, newest])

  const remember = (): void => {
    const element = box.current
    if (element !== null) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 24
  }
  if (lines.length === 0) return <Empty icon="check" title={words.logEmpty} />
  return (
    <div
      ref={box}
      className={styles['lines']}
      onScroll={remember}
      role="log"
      aria-live="off"
      aria-label={words.logTail(lines.length)}
      tabIndex={0}
    >
      <div className={styles['whole']} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const line = lines[item.index]
          if (line === undefined) return null
          return (
            <p
              key={item.key}
              ref={virtualizer.measureElement}
              data-index={item.index}
              className={styles['line']}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <time title={formatExact(line.atMs)}>{formatClock(line.atMs)}</time>
              <span className={styles[line.level]}>{line.level}</span>
              <span className={styles['component']}>{line.component}</span>
              <span>
                <Visible text={line.message} />{' '}
                <span className={styles['fields']}>
                  <Visible text={line.fields} />
                </span>
              </span>
            </p>
          )
        })}
      </div>
    </div>
  )
}

/** The levels one can begin at, least important first. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
type LogLevel = (typeof LOG_LEVELS)[number]

/** The lines of a level or above that hold a text anywhere. */
function filterLog(lines: readonly LogLine[], level: LogLevel, text: string): LogLine[] {
  const wanted = text.trim().toLowerCase()
  return lines.filter((line) => isAtLeast(line, level) && textOf(line).toLowerCase().includes(wanted))
}

/** Lines as a text to paste. */
function logText(lines: readonly LogLine[]): string {
  return lines.map((line) => `${formatExact(line.atMs)} ${textOf(line)}`).join('\n')
}

function isAtLeast(line: LogLine, level: LogLevel): boolean {
  return line.level === 'fatal' || LOG_LEVELS.indexOf(line.level) >= LOG_LEVELS.indexOf(level)
}

function textOf({ level, component, message, fields }: LogLine): string {
  return [level, component, message, fields].filter((part) => part !== '').join(' ')
}

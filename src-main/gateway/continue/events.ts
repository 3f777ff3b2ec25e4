import type { Framing } from '../body/stream-events.js'

/** One event of an answer's stream. */
export interface AnswerEvent {
  /** The `event:` field of a server-sent event. */
  name: string | undefined
  data: string
}

/** An event's data, read. */
export type EventValue = Record<string, unknown>

/** The events in a text that holds whole ones; comments and events without data are left out. */
export function* eventsIn(text: string, framing: Framing): Generator<AnswerEvent> {
  if (framing === 'ndjson') {
    for (const line of text.split('\n')) if (line.trim() !== '') yield { name: undefined, data: line }
    return
  }
  for (const block of text.split(/\r\n\r\n|\n\n|\r\r/)) {
    let name: string | undefined
    const data: string[] = []
    for (const line of block.split(/\r\n|\n|\r/)) {
      if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
      else if (line.startsWith('event:')) name = line.slice(6).trim()
    }
    if (data.length > 0) yield { name, data: data.join('\n') }
  }
}

/** The object in an event; undefined where it is none. */
export function parsed({ data }: AnswerEvent): EventValue | undefined {
  try {
    return objectIn(JSON.parse(data))
  } catch {
    // The caller says what becomes of an event that is no JSON.
    return undefined
  }
}

/** An event as it is sent. */
export function eventText({ name, data }: AnswerEvent, framing: Framing): string {
  if (framing === 'ndjson') return `${data}\n`
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${data}\n\n`
}

/** A value where it is an object and no list. */
export function objectIn(value: unknown): EventValue | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as EventValue) : undefined
}

/** A value where it is a list. */
export const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])

/** A value where it is a text; '' otherwise. */
export const textIn = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Adds to a count of tokens where there is one; it never falls below zero. */
export function addTo(counts: EventValue, name: string, tokens: number): void {
  const value = counts[name]
  if (typeof value === 'number') counts[name] = Math.max(0, value + tokens)
}

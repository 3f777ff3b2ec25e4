/** One event of a server-sent event stream. */
export interface SseEvent {
  /** `message` unless the stream names it. */
  event: string
  data: string
}

/** Characters of one event; an answer's events are far smaller. */
const MAX_EVENT = 4 * 1024 * 1024

/** The events of a stream as they come; comments are skipped. Throws when one event is larger than 4 MiB. */
export async function* sseEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseEvent> {
  let event = 'message'
  let data: string[] = []
  for await (const line of linesOf(body)) {
    if (line === '') {
      if (data.length > 0) yield { event, data: data.join('\n') }
      event = 'message'
      data = []
      continue
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (field === 'event') event = value ?? ''
    if (field === 'data') data.push(value ?? '')
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    // A CR at the end may be half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    if (rest.length > MAX_EVENT) throw new Error('The answer holds an event larger than 4 MiB.')
    yield* lines
  }
}

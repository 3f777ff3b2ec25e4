/** One event of a `text/event-stream`. */
export interface ServerEvent {
  /** `message` where none is named. */
  event: string
  data: string
}

/** More than this in one event is no answer of a model. */
const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024

/** The events of a stream as they come; comments and empty events are left out. Throws when one never ends. */
export async function* readServerEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      rest += decoder.decode(value, { stream: true })
      if (rest.length > MAX_EVENT_CHARACTERS) throw new Error('An event of the answer never ended.')
      const blocks = rest.split(/\r\n\r\n|\n\n|\r\r/)
      rest = blocks.pop() ?? ''
      for (const block of blocks) yield* eventOf(block)
    }
  } finally {
    // The one who stops reading wants nothing more; a stream that failed can't be cancelled.
    reader.cancel().catch(() => undefined)
  }
}

function eventOf(block: string): ServerEvent[] {
  let event = 'message'
  const data: string[] = []
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
  }
  return data.length === 0 ? [] : [{ event, data: data.join('\n') }]
}

import { createFeedReceiver, type Client, type FeedObserver } from '#shared/contract/client.js'
import type { CallOutput, FeedName } from '#shared/contract/index.js'
import { AppError, fromWireError, type WireError } from '#shared/errors.js'
import { createFeedSocket } from './feed-socket.js'

/** Browsers let 64 KiB outlive a page; a character takes three bytes at most. */
const KEEPALIVE_CHARS = 20_000

/** A {@link Client} with a connection that can be closed. */
export interface HttpClient extends Client {
  close(): void
}

/**
 * The control interface over HTTP, feeds over one WebSocket that reconnects. A token that the node refuses once is never
 * shown again: the client then only answers with that refusal.
 */
export function createHttpClient(options: {
  url: string
  token: string
  /** The node no longer takes this token; called once. */
  onRefused?: () => void
}): HttpClient {
  const { url, token } = options
  const socket = createFeedSocket({ url, token })
  let refusal: AppError | undefined
  let explaining: Promise<Error> | undefined

  const client: HttpClient = {
    async call(name, input) {
      if (refusal !== undefined) throw refusal
      const response = await post(`${url}/api/call/${name}`, token, { input, mayOutlive: name === 'chats.save' })
      if (!response.ok) throw stopIfRefused(await readError(response))
      return (await response.json()) as CallOutput<typeof name>
    },
    follow<N extends FeedName>(feed: N, observer: FeedObserver<N>) {
      if (refusal !== undefined) {
        observer.onLost?.(refusal)
        return () => undefined
      }
      let stop: () => void = () => undefined
      const begin = (): void => {
        const receiver = createFeedReceiver(observer, () => {
          stop()
          begin()
        })
        stop = socket.follow(feed, {
          onNews(news) {
            if ('message' in news) receiver.receive(news.message)
            else observer.onLost?.(fromWireError({ error: news.error }))
          },
          onLost: () => void explainLossOnce().then((error) => observer.onLost?.(error)),
        })
      }
      begin()
      return () => stop()
    },
    close: () => socket.close(),
  }

  /** The node counts refused calls and shuts out who goes on, so the first refusal ends them all. */
  function stopIfRefused(error: AppError): AppError {
    if (error.code !== 'unauthorized' || refusal !== undefined) return error
    refusal = error
    socket.close()
    options.onRefused?.()
    return error
  }

  /** One call for all feeds of a socket. */
  function explainLossOnce(): Promise<Error> {
    explaining ??= explainLoss().finally(() => (explaining = undefined))
    return explaining
  }

  /** A browser does not tell why a socket failed; a call does. */
  async function explainLoss(): Promise<Error> {
    try {
      await client.call('node.capabilities', {})
      return notRunning()
    } catch (error) {
      return error instanceof Error ? error : notRunning(error)
    }
  }

  return client
}

/** `mayOutlive`: it is finished also where the page goes away meanwhile. */
async function post(
  url: string,
  token: string,
  { input, mayOutlive }: { input: unknown; mayOutlive: boolean },
): Promise<Response> {
  const body = JSON.stringify(input)
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body,
      keepalive: mayOutlive && body.length <= KEEPALIVE_CHARS,
      cache: 'no-store',
      credentials: 'omit',
    })
  } catch (error) {
    throw notRunning(error)
  }
}

async function readError(response: Response): Promise<AppError> {
  try {
    return fromWireError((await response.json()) as WireError)
  } catch (error) {
    return new AppError('internal', `The node answered ${response.status} without saying why.`, { cause: error })
  }
}

function notRunning(cause?: unknown): AppError {
  return new AppError('node_not_running', 'The node does not answer. It may be stopped or starting.', { cause })
}

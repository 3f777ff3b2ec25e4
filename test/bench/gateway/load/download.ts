import { Client } from 'undici'

/** One big answer. */
export interface Download {
  url: string
  bytes: number
}

export interface DownloadResult {
  mebibytesPerSecond: number
}

/** @throws Error when fewer bytes came than were asked for */
export async function download({ url, bytes }: Download): Promise<DownloadResult> {
  const { origin, pathname } = new URL(url)
  const client = new Client(origin)
  const startedAt = performance.now()
  const response = await client.request({
    path: pathname,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'echo', bytes }),
  })
  let received = 0
  response.body.on('data', (chunk: Buffer) => (received += chunk.length))
  await new Promise((resolve, reject) => response.body.once('end', resolve).once('error', reject))
  const elapsedMs = performance.now() - startedAt
  await client.destroy()
  if (response.statusCode !== 200 || received !== bytes) {
    throw new Error(`status ${response.statusCode}, ${received} of ${bytes} bytes came`)
  }
  return { mebibytesPerSecond: bytes / 1024 / 1024 / (elapsedMs / 1000) }
}

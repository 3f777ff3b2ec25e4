import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { startChild } from '../table/child.ts'

// Prints what the simulator takes for granted (costs.ts): bytes that two real nodes send each other on this machine.
// Usage: node test/bench/network-sim/message-sizes.ts

const SETTLE_MS = 6_000
const IDLE_MS = 60_000

type Bytes = { bytes: [string, number][] }

async function measure(): Promise<void> {
  const child = startChild('nodes-worker.ts')
  try {
    const { addresses } = await child.ask<{ addresses: string[] }>({ start: 2 })
    const read = async (): Promise<Map<string, number>> => new Map((await child.ask<Bytes>({ bytes: true })).bytes)
    const report = (what: string, before: Map<string, number>, after: Map<string, number>, per: number): void => {
      for (const [name, count] of after) {
        const sent = count - (before.get(name) ?? 0)
        if (sent > 0) console.log(`${what.padEnd(22)} ${name.padEnd(38)} ${(sent / per).toFixed(0)} B a node`)
      }
    }
    const start = await read()
    await child.ask({ dial: [[addresses[1] ?? ''], []] })
    await pause(SETTLE_MS)
    const connected = await read()
    report('a connection', start, connected, 2)
    const models = Array.from({ length: 4 }, (_, index) => `vendor/model-${index}-${randomBytes(4).toString('hex')}`)
    await child.ask({ publish: { node: 0, models } })
    await pause(SETTLE_MS)
    report('a row of four models', connected, await read(), 1)
    const still = await read()
    await pause(IDLE_MS)
    report('a minute of idling', still, await read(), 2)
  } finally {
    await child.stop()
  }
}

await measure()

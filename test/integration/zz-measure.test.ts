import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { systemClock } from '../../src-main/clock.js'
import { createNodeTable } from '../../src-main/node-table/index.js'
import { connect, startBareHost } from '../fixtures/bare-host.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { recordOffering } from '../fixtures/table-owners.js'

for (const [N, full] of [[10, true], [32, true], [32, false]] as const) test(`measure ${N} ${full}`, async () => {
  const nodes = []
  let copies = 0
  let bytes = 0
  let ctl = 0
  for (let i = 0; i < N; i++) {
    const host = await startBareHost()
    const ps: any = host.pubsub
    const orig = ps.handleReceivedMessage.bind(ps)
    ps.handleReceivedMessage = (from: any, m: any) => { copies++; bytes += m.data.length; return orig(from, m) }
    const oc = ps.handleControlMessage.bind(ps)
    ps.handleControlMessage = (id: any, m: any) => { ctl++; return oc(id, m) }
    const table = createNodeTable({ host, log: createRecordingLog(), clock: systemClock }, { dataDir: await mkdtemp(join(tmpdir(), 'm-')), leaseMs: 600000 })
    await table.start(new AbortController().signal)
    nodes.push({ host, table })
  }
  for (let i = 0; i < N; i++) for (let j = 0; j < i; j++) if (full || j === i - 1 || (i * 7 + j * 13) % 11 === 0) await connect(nodes[i]!.host, nodes[j]!.host)
  await new Promise(r => setTimeout(r, 4000))
  await Promise.all(nodes.map(n => n.table.publish(recordOffering(n.host.peerId, ['a']))))
  await new Promise(r => setTimeout(r, 4000))
  console.log('sizes', nodes.map(n => n.table.size).join(','))
  const lat: number[] = []
  let c0 = 0, b0 = 0, k = 0, ct = 0
  for (let round = 0; round < 20; round++) {
    copies = 0; bytes = 0; ctl = 0
    const pub = nodes[round % N]!
    const models = Array.from({ length: 10 }, (_, i) => `model-with-a-longer-name-number-${i}-${round}`)
    const t = performance.now()
    const waits = nodes.map(n => new Promise<void>(res => { const stop = n.table.subscribe(e => { if (e.type === 'row:changed' && e.row.peerId === pub.host.peerId) { lat.push(performance.now() - t); stop(); res() } }) }))
    await pub.table.publish(recordOffering(pub.host.peerId, models))
    await Promise.race([Promise.all(waits), new Promise(r => setTimeout(r, 3000))])
    await new Promise(r => setTimeout(r, 300))
    c0 += copies; b0 += bytes; k++; ct += ctl
  }
  lat.sort((a, b) => a - b)
  console.log(`N=${N} full=${full} copies/registration ${c0 / k} bytes ${b0 / k} ctl ${ct / k} latency p50 ${lat[lat.length >> 1]} p99 ${lat[Math.floor(lat.length * 0.99)]} got ${lat.length}/${N * 20}`)
  for (const n of nodes) { await n.table.stop(); await n.host.stop() }
}, 120000)

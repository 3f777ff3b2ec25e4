import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, test, vi } from 'vitest'
import { patientTimeout } from '../../../src-main/base/patient-timeout.js'

/** Nothing else has its turn for so long. */
function standFor(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('what has come while the loop stood still is read first', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const events: string[] = []
  setTimeout(() => events.push('a plain timer'), 20)
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const over = new Promise<void>((resolve) => {
    patientTimeout(() => {
      events.push('over')
      resolve()
    }, 20)
  })
  socket.once('connect', () => events.push('connected'))
  standFor(200)
  await over
  expect(events).toEqual(['a plain timer', 'connected', 'over'])
  socket.destroy()
  server.close()
})

test('one that was called off calls nobody, before its time and after', async () => {
  const onOver = vi.fn()
  patientTimeout(onOver, 1)()
  const callOff = patientTimeout(onOver, 1)
  setTimeout(callOff, 1)
  standFor(20)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(onOver).not.toHaveBeenCalled()
})

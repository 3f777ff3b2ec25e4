import { expect, test, vi } from 'vitest'
import { serveIpc } from '../../src-main/electron/ipc.js'
import { createFakeNode } from './fake-node.js'
import { createFakeElectron } from './transports.js'

function serve() {
  const node = createFakeNode()
  const electron = createFakeElectron()
  const stop = serveIpc(
    { ipc: electron.ipc, control: node.control, log: node.needs.log },
    { trustedUrl: 'app://ocf/', capabilities: ['open-external'] },
  )
  return { node, electron, stop }
}

test.each(['https://evil.example/', 'app://ocf.evil/', 'app://other/', 'file:///app/ocf/', 'about:blank', ''])(
  'a foreign frame at %j gets nothing',
  async (url) => {
    const { electron, stop } = serve()
    const bridge = await electron.bridge(url)
    await expect(bridge.call('node.status', {})).resolves.toMatchObject({
      ok: false,
      error: { code: 'forbidden_origin' },
    })
    const listener = vi.fn()
    bridge.follow('status', listener)
    expect(listener).toHaveBeenCalledExactlyOnceWith({ error: expect.objectContaining({ code: 'forbidden_origin' }) })
    stop()
  },
)

test('the window is told what its place can do', async () => {
  const { electron, stop } = serve()
  const bridge = await electron.bridge('app://ocf/index.html')
  await expect(bridge.call('node.capabilities', {})).resolves.toEqual({ ok: true, output: ['open-external'] })
  stop()
})

test('a closed window is sent nothing any more', async () => {
  vi.useFakeTimers()
  const { node, electron, stop } = serve()
  const bridge = await electron.bridge('app://ocf/index.html')
  const listener = vi.fn()
  bridge.follow('peers', listener)
  node.connect('alice')
  vi.advanceTimersByTime(1000)
  expect(listener).toHaveBeenCalledTimes(2)
  electron.destroy()
  node.connect('bob')
  expect(vi.getTimerCount()).toBe(0)
  expect(listener).toHaveBeenCalledTimes(2)
  stop()
  vi.useRealTimers()
})

test('stopping takes every handler away', () => {
  const { electron, stop } = serve()
  expect(electron.handlers()).toBe(3)
  stop()
  expect(electron.handlers()).toBe(0)
})

test('arguments of the wrong kind are answered with an error, not an exception', async () => {
  const { node, electron, stop } = serve()
  const bridge = await electron.bridge('app://ocf/index.html')
  await expect(bridge.call(42 as never, {})).resolves.toMatchObject({ ok: false, error: { code: 'not_found' } })
  await expect(bridge.call('logs.recent', 'x')).resolves.toMatchObject({
    ok: false,
    error: { code: 'invalid_request' },
  })
  expect(node.errors).toEqual([])
  stop()
})

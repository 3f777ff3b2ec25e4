import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { findPortHolder, portInUseError } from '../../../src-main/config/port-holder.js'

describe.runIf(process.platform === 'linux')('who holds a port', () => {
  it.each(['127.0.0.1', '::1'])('is the program that listens on TCP at %s, until it stops', async (host) => {
    const server = createServer().listen(0, host)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const holder = await findPortHolder(port)
    expect(holder?.pid).toBe(process.pid)
    expect(holder?.program).toMatch(/^node/)
    server.close()
    await once(server, 'close')
    expect((await findPortHolder(port))?.pid).not.toBe(process.pid)
  })

  it('is the program with the UDP socket, which is not the one with the TCP port', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    expect((await findPortHolder(port, 'udp'))?.pid).toBe(process.pid)
    // Another program may listen on TCP at this number.
    expect((await findPortHolder(port, 'tcp'))?.pid).not.toBe(process.pid)
    socket.close()
    await once(socket, 'close')
  })
})

describe('the sentence for a port in use', () => {
  it('names the holder and the setting to change', () => {
    const error = portInUseError('port', 8092, { pid: 4312, program: 'python3' })
    expect(error).toMatchObject({ code: 'port_in_use', param: 'port' })
    expect(error.message).toBe('Port 8092 is used by `python3` (pid 4312). Stop it or choose another port with --port.')
  })

  it('does without a holder', () => {
    expect(portInUseError('api-port', 1, undefined).message).toBe(
      'Port 1 is used by another program. Choose another port with --api-port.',
    )
  })
})

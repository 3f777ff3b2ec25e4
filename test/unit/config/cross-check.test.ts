import { describe, expect, it } from 'vitest'
import { isLoopbackHost } from '../../../src-main/config/cross-check.js'
import { problems } from './given.js'

describe('settings that do not fit together', () => {
  it('are the same TCP port twice, told with both sources', () => {
    expect(problems({ flags: { port: '43905' }, env: { OCF_API_PORT: '9' } })).toEqual([
      'flag --port: port and tcpport are both 43905. Give each its own port.',
    ])
    expect(problems({ flags: { port: '9' }, env: { OCF_API_PORT: '9' } })).toEqual([
      'environment OCF_API_PORT and flag --port: api-port and port are both 9. Give each its own port.',
    ])
  })

  it('are not two times any free port, nor the same number in UDP and TCP', () => {
    const zeros = { port: '0', 'api-port': '0', tcpport: '0', wsport: '0', udpport: '0' }
    expect(problems({ flags: zeros })).toEqual([])
    expect(problems({ flags: { tcpport: '4001', udpport: '4001' } })).toEqual([])
  })

  it('are a service name without its port and the other way round; a subprocess needs neither', () => {
    expect(problems({ flags: { 'service.name': 'llm' } })[0]).toContain('service.name needs service.port')
    expect(problems({ flags: { 'service.port': '8000' } })[0]).toContain('service.port needs service.name')
    expect(problems({ flags: { subprocess: 'vllm serve x' } })).toEqual([])
    expect(problems({ flags: { 'service.name': 'llm', 'service.port': '8000' } })).toEqual([])
  })

  it('are a remote target without leave', () => {
    const service = { 'service.name': 'llm', 'service.port': '8000', 'service.host': '10.0.0.2' }
    expect(problems({ flags: service })).toEqual([expect.stringContaining('10.0.0.2 is another machine.')])
    expect(problems({ flags: { ...service, 'service.allow-remote-target': true } })).toEqual([])
  })

  it("are a service at one of the node's own ports", () => {
    const service = { 'service.name': 'llm', 'service.port': '8092' }
    expect(problems({ flags: service })[0]).toContain("8092 is this node's own port.")
    expect(
      problems({ flags: { ...service, 'service.host': '10.0.0.2', 'service.allow-remote-target': true } }),
    ).toEqual([])
  })

  it('are not told of settings that are wrong by themselves', () => {
    expect(problems({ flags: { 'service.name': 'llm', 'service.port': 'x' } })).toHaveLength(1)
  })
})

it.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['localhost', true],
  ['api.localhost', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['10.0.0.1', false],
  ['localhost.example', false],
  ['127.0.0.1.example', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected)
})

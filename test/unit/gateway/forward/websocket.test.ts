import { describe, expect, test } from 'vitest'
import {
  acceptedHeaders,
  assertHandshake,
  handshakeHeaders,
  isAccepted,
} from '../../../../src-main/gateway/forward/websocket.js'

/** The example of RFC 6455 §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

describe('a handshake', () => {
  test('has a key of 16 bytes and version 13', () => {
    expect(() => assertHandshake({ 'sec-websocket-key': KEY, 'sec-websocket-version': '13' })).not.toThrow()
    expect(() => assertHandshake({ 'sec-websocket-key': 'a', 'sec-websocket-version': '13' })).toThrow('handshake')
    expect(() => assertHandshake({ 'sec-websocket-key': KEY, 'sec-websocket-version': '8' })).toThrow('handshake')
  })

  test('tells another computer no sub-protocol with a secret in it', () => {
    const from = {
      'sec-websocket-protocol':
        'realtime, openai-insecure-api-key.sk-1, base64url.bearer.authorization.k8s.io.abc, x.v1',
      'sec-websocket-key': KEY,
    }
    expect(handshakeHeaders(from, 'llm')).toEqual({
      'sec-websocket-key': KEY,
      'sec-websocket-protocol': 'realtime, x.v1',
    })
    expect(handshakeHeaders(from, 'own')['sec-websocket-protocol']).toContain('sk-1')
    expect(handshakeHeaders({ 'sec-websocket-protocol': 'x'.repeat(100) }, 'generic')).toEqual({})
  })
})

describe('an answer to a handshake', () => {
  test('is one only with the hash of the key', () => {
    const request = { 'sec-websocket-key': KEY }
    expect(isAccepted({ 'sec-websocket-accept': ACCEPT, upgrade: 'WebSocket' }, request)).toBe(true)
    expect(isAccepted({ 'sec-websocket-accept': ACCEPT, upgrade: 'h2c' }, request)).toBe(false)
    expect(isAccepted({ 'sec-websocket-accept': ACCEPT.toLowerCase(), upgrade: 'websocket' }, request)).toBe(false)
    expect(isAccepted({}, request)).toBe(false)
  })

  test('of another computer sets nothing in the client’s browser', () => {
    const from = { 'sec-websocket-accept': ACCEPT, 'set-cookie': ['a=b'], 'x-powered-by': 'x' }
    expect(acceptedHeaders(from, 'generic')).toEqual({ 'sec-websocket-accept': ACCEPT })
    expect(acceptedHeaders(from, 'own')).toHaveProperty('set-cookie')
  })
})

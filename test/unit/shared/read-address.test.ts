import { expect, test } from 'vitest'
import { readAddress } from '../../../src-shared/read-address.js'

test('a server address may be a port, host:port or a URL', () => {
  const local = { host: '127.0.0.1', port: 8080 }
  expect(readAddress('8080')).toEqual({ host: 'localhost', port: 8080 })
  expect(readAddress('http://localhost:8080/v1')).toEqual({ host: 'localhost', port: 8080 })
  expect([' 127.0.0.1:8080 ', 'http://127.0.0.1:8080/v1'].map(readAddress)).toEqual([local, local])
  expect(readAddress('[::1]:80')).toEqual({ host: '::1', port: 80 })
  expect(readAddress('box.lan:1234')).toEqual({ host: 'box.lan', port: 1234 })
  expect(['', '0', '65536', 'abc', 'host:', '1:2:3', '::1:80'].map(readAddress)).toEqual(Array(7).fill(undefined))
})

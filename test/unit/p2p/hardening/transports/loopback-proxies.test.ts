import { expect, test } from 'vitest'
import { keepLoopbackFromProxies } from '../../../../../src-main/p2p/hardening/transports/loopback-proxies.js'

test('this machine is named beside what a person excepts from proxies', () => {
  const env: NodeJS.ProcessEnv = { NODE_USE_ENV_PROXY: '1', NO_PROXY: 'intranet, 127.0.0.1', no_proxy: '' }
  keepLoopbackFromProxies(env)
  expect(env).toMatchObject({
    NO_PROXY: 'intranet,127.0.0.1,localhost,::1,[::1]',
    no_proxy: 'localhost,127.0.0.1,::1,[::1]',
  })
})

test('an environment that Node takes no proxies from stays as it is', () => {
  const env: NodeJS.ProcessEnv = { HTTP_PROXY: 'http://proxy', NO_PROXY: 'x' }
  keepLoopbackFromProxies(env)
  expect(env).toEqual({ HTTP_PROXY: 'http://proxy', NO_PROXY: 'x' })
  const all: NodeJS.ProcessEnv = { NODE_USE_ENV_PROXY: '1', NO_PROXY: '*', no_proxy: '*' }
  keepLoopbackFromProxies(all)
  expect(all).toEqual({ NODE_USE_ENV_PROXY: '1', NO_PROXY: '*', no_proxy: '*' })
})

import { expect, test } from 'vitest'
import { inviteIn, linkTo, routeOf } from '../../../../src-renderer/stores/route.js'

test('hashes lead to pages and what is open on them, unknown hashes to Home', () => {
  const pages = ['#/models', '#models', '', '#/nothing', '#token=abc', '#/__proto__'].map((hash) => routeOf(hash).page)
  expect(pages).toEqual(['models', 'models', 'home', 'home', 'home', 'home'])
  expect(routeOf(linkTo('models', 'a/b:c d%2F'))).toEqual({ page: 'models', item: 'a/b:c d%2F' })
  expect(routeOf('#/models/%')).toEqual({ page: 'models', item: undefined })
})

test('only a link to join brings an invite, and it leads to no page but Home', () => {
  expect(inviteIn('#/join/ocf1Ab-_')).toBe('ocf1Ab-_')
  expect(inviteIn('#/join/ocf%3A%2F%2Fjoin%2Focf1Ab')).toBe('ocf://join/ocf1Ab')
  expect(routeOf('#/join/ocf1Ab')).toEqual({ page: 'home', item: undefined })
  for (const hash of ['', '#/join', '#/join/', '#/join/%', '#/network/join/ocf1', '#token=join/ocf1']) {
    expect(inviteIn(hash)).toBeUndefined()
  }
})

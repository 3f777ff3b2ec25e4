import { expect, test } from 'vitest'
import { linkTo, routeOf } from '../../../../src-renderer/stores/route.js'

test('hashes lead to pages and what is open on them, unknown hashes to Home', () => {
  const pages = ['#/models', '#models', '', '#/nothing', '#token=abc', '#/__proto__'].map((hash) => routeOf(hash).page)
  expect(pages).toEqual(['models', 'models', 'home', 'home', 'home', 'home'])
  expect(routeOf(linkTo('models', 'a/b:c d%2F'))).toEqual({ page: 'models', item: 'a/b:c d%2F' })
  expect(routeOf('#/models/%')).toEqual({ page: 'models', item: undefined })
})

import { expect, test } from 'vitest'
import { parseIdentityGroup } from '../../../src-main/services/registry/published-models.js'

test('the key ends at the first equals sign', () => {
  expect(parseIdentityGroup('model=a=b')).toEqual({ kind: 'exact', key: 'model', value: 'a=b' })
  expect(parseIdentityGroup('model=*')).toEqual({ kind: 'any', key: 'model' })
  expect(parseIdentityGroup('all')).toEqual({ kind: 'all' })
})

test.each(['', 'gpt2', '=x', 'model=', 'model= ', 'ALL', 'a=\n', `model=${'x'.repeat(600)}`])(
  '"%s" is no entry',
  (entry) => {
    expect(parseIdentityGroup(entry)).toMatchObject({ kind: 'invalid' })
  },
)

import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { readJson } from '../../../../src-main/gateway/index.js'

const MAX_BYTES = 1024 * 1024

function requestWith(body: string): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  request.headers['content-type'] = 'application/json'
  request.push(body)
  request.push(null)
  return request
}

test('a call of a thousand models with their other names is read', async () => {
  const models = Array.from({ length: 1000 }, (_, index) => `model-${index}`)
  const input = { port: 11434, models, aliases: models.map((model) => ({ name: `other-${model}`, model })) }
  expect(await readJson(requestWith(JSON.stringify(input)), MAX_BYTES)).toEqual(input)
})

test.each([
  ['values', `{"a":[${'0,'.repeat(20_000)}0]}`],
  ['fields', `{${Array.from({ length: 20_000 }, (_, index) => `"${index}":0`).join()}}`],
  ['levels', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
])('a call of more %s than any has is refused before an object is made of it', async (_what, body) => {
  await expect(readJson(requestWith(body), MAX_BYTES)).rejects.toMatchObject({ code: 'body_too_large' })
})

test.each(['[1,2]', '"text"', '7', 'null', ' {"a":1} '])(
  'the value %s is read, whatever it is then taken for',
  async (body) => {
    expect(await readJson(requestWith(body), MAX_BYTES)).toEqual(JSON.parse(body))
  },
)

test.each(['{"a":1}}', '{"a":1},"b":2', '1,"x":2', '{', ''.padEnd(3)])('the body %j is no JSON', async (body) => {
  await expect(readJson(requestWith(body), MAX_BYTES)).rejects.toMatchObject({ code: 'invalid_json' })
})

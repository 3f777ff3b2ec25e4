import { expect, test } from 'vitest'
import { readForm, writeForm } from '../../../../src-main/gateway/body/form.js'

type Part = [headers: string, body: string]

const field = (name: string, value: string): Part => [`Content-Disposition: form-data; name="${name}"`, value]
const file = (name: string, bytes: string): Part => [
  `Content-Disposition: form-data; name="${name}"; filename="a.wav"\r\nContent-Type: audio/wav`,
  bytes,
]

const TYPE = 'multipart/form-data; boundary=X'

const form = (...parts: Part[]): Buffer =>
  Buffer.from(`${parts.map(([headers, body]) => `--X\r\n${headers}\r\n\r\n${body}\r\n`).join('')}--X--\r\n`, 'latin1')

const codeOf = (bytes: Buffer): Promise<string> =>
  readForm(bytes, TYPE).then(
    ({ model }) => `model ${model ?? 'missing'}`,
    (error: unknown) => (error as { code: string }).code,
  )

test('one model is read, wherever it stands', async () => {
  expect(await codeOf(form(field('model', 'whisper'), file('file', 'RIFF')))).toBe('model whisper')
  expect(await codeOf(form(file('file', 'RIFF'), field('model', 'whisper')))).toBe('model whisper')
  expect(await codeOf(form(file('file', 'RIFF')))).toBe('model missing')
})

test.each<[string, Part[]]>([
  ['twice', [field('model', 'shared'), field('model', 'secret')]],
  ['twice and the same', [field('model', 'shared'), field('model', 'shared')]],
  ['first too long to be one', [field('model', 'x'.repeat(2000)), field('model', 'secret')]],
  ['also as a file', [field('model', 'shared'), file('model', 'secret')]],
  ['as a file alone', [file('model', 'secret')]],
  [
    'behind more parts than are read',
    [...Array.from({ length: 300 }, () => field('x', 'y')), field('model', 'secret')],
  ],
])('a form that names its model %s is refused', async (_how, parts) => {
  expect(await codeOf(form(...parts))).toBe('invalid_request')
})

test('a form with a field of more than 8 MiB is refused, and with one of 8 MiB in a file it is not', async () => {
  const long = 'x'.repeat(8 * 1024 * 1024 + 1)
  expect(await codeOf(form(field('model', 'whisper'), field('prompt', long)))).toBe('invalid_request')
  expect(await codeOf(form(field('model', 'whisper'), file('file', long)))).toBe('model whisper')
})

test('a model longer than any name is none', async () => {
  expect(await codeOf(form(field('model', 'x'.repeat(2000))))).toBe('model missing')
})

test('a form written anew has the same fields and files, and nothing beside them', async () => {
  const bytes = Buffer.concat([
    Buffer.from('--Y\r\nContent-Disposition: form-data; name="model"\r\n\r\nsecret\r\n--Y--\r\n'),
    form(
      field('model', 'whisper'),
      field('prompt', Buffer.from('Grüße "you"\r\nand me').toString('latin1')),
      file('file', 'RIFF\0\xff'),
    ),
  ])
  const { bytes: written, contentType } = await writeForm(await readForm(bytes, TYPE, true))

  const again = await readForm(written, contentType, true)
  expect(again).toEqual({
    model: 'whisper',
    parts: [
      { name: 'model', value: 'whisper' },
      { name: 'prompt', value: 'Grüße "you"\r\nand me' },
      { name: 'file', value: { bytes: Buffer.from('RIFF\0\xff', 'latin1'), fileName: 'a.wav', type: 'audio/wav' } },
    ],
  })
  expect(written.toString('latin1')).not.toContain('secret')
})

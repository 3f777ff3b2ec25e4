import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCommandLine, readLaunch, restartArgv } from '../../../src-main/electron/argv.js'

const packaged = { isPackaged: true, appPath: '/opt/ocf/resources/app.asar' }
const unpackaged = { isPackaged: false, appPath: '/home/ann/ocf-desktop' }

test('arguments for the window are kept from the command line', () => {
  const argv = ['ocf-desktop', '--background', '--restarted=1', '--port=9000', '--no-sandbox']
  const launch = { argv: ['--port=9000'], background: true, restarts: 1, page: undefined }
  expect(readLaunch(argv, packaged)).toEqual(launch)
})

test('a malformed link, or several links, open no page and never reach the command line', () => {
  expect(readLaunch(['x', 'ocf://share?port=1'], packaged)).toMatchObject({ argv: [], page: undefined })
  expect(readLaunch(['x', 'OCF:--data-dir=/'], packaged)).toMatchObject({ argv: [], page: undefined })
  expect(readLaunch(['x', 'ocf://share', 'ocf://home'], packaged)).toMatchObject({ argv: [], page: undefined })
})

test.each([
  ['a flag behind the link', ['ocf://models', '--subprocess=calc.exe']],
  ['a flag before the link', ['--subprocess=calc.exe', 'ocf://models']],
  ['a flag and its value', ['ocf://models', '--subprocess', 'calc.exe']],
  ['a flag whose value is the link', ['--subprocess', 'ocf://models']],
  ['everything behind two dashes', ['--', 'ocf://models', '--subprocess=calc.exe']],
  ['flags of the window', ['--background', '--restarted=2', 'ocf://models']],
])('with a link on the command line %s does not count', (_what, words) => {
  const nothing = { argv: [], background: false, restarts: 0, page: 'models' }
  expect(readLaunch(['Open Compute.exe', ...words], packaged)).toEqual(nothing)
  expect(readLaunch(['electron', '.', ...words], unpackaged)).toEqual(nothing)
})

test.each([' ocf://models', '"ocf://models', "'OCF://models'", '\tocf:models', '\u00a0ocf://models', 'Ocf:'])(
  'a link as in %j is one, although it opens no page',
  (link) => {
    expect(readLaunch(['x', link, '--subprocess=calc.exe'], packaged)).toMatchObject({ argv: [], page: undefined })
  },
)

test('whatever stands beside a link on the command line, at any place, nothing but its page comes out', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string().map((value) => `--subprocess=${value}`),
    fc.constantFrom('--subprocess', '--background', '--restarted=3', '--', '--data-dir', '--no-sandbox'),
  )
  const link = fc.oneof(
    fc.constantFrom('ocf://models', 'ocf://share/', 'OCF://home'),
    fc.tuple(fc.constantFrom('', ' ', '"', "'", '\t'), fc.string()).map(([before, rest]) => `${before}ocf:${rest}`),
  )
  fc.assert(
    fc.property(fc.array(word), link, fc.array(word), (before, theLink, after) => {
      const words = [...before, theLink, ...after]
      const { argv, background, restarts, page } = readLaunch(['Open Compute.exe', ...words], packaged)
      const again = readLaunch(['x', ...restartArgv(['x', ...words], 1, packaged)], packaged)
      const isItsPage = page === undefined || theLink === `ocf://${page}` || words.includes(`ocf://${page}`)
      return (
        argv.length === 0 &&
        !background &&
        restarts === 0 &&
        (isItsPage || theLink === `ocf://${page}/`) &&
        again.argv.length === 0 &&
        !again.background &&
        again.restarts === 1
      )
    }),
  )
})

test('a start after a crash keeps the arguments and carries one count of restarts', () => {
  const again = restartArgv(['x', '--port=9000', '--restarted=1'], 2, packaged)
  expect(again).toEqual(['--port=9000', '--restarted=2'])
  expect(readLaunch(['x', ...again], packaged)).toMatchObject({ argv: ['--port=9000'], restarts: 2 })
})

test('a start after a crash takes nothing from a start by a link but the switch of the package', () => {
  const words = ['--no-sandbox', 'ocf://share', '--subprocess=calc.exe']
  expect(restartArgv(['x', ...words], 1, packaged)).toEqual(['--no-sandbox', '--restarted=1'])
  expect(restartArgv(['electron', '--inspect=0', '.', ...words], 1, unpackaged)).toEqual([
    '--inspect=0',
    '.',
    '--no-sandbox',
    '--restarted=1',
  ])
})

test.each(['--restarted=', '--restarted=-1', '--restarted=x', '--restarted=1.5'])(
  'a malformed count of restarts, %s, is none',
  (argument) => {
    expect(readLaunch(['x', argument], packaged).restarts).toBe(0)
  },
)

test.each([
  [
    ['electron', '.', '--port', '9000'],
    ['--port', '9000'],
  ],
  [['electron', '/home/ann/ocf-desktop', '--mode=local'], ['--mode=local']],
  [
    ['electron', '--inspect=0', '--remote-debugging-port=0', '--no-sandbox', '/home/ann/ocf-desktop', '--port=0'],
    ['--port=0'],
  ],
  [['electron', 'out/main/main.js'], []],
  [['electron', '.', '--no-sandbox', '--disable-gpu', '--port=1'], ['--port=1']],
])('from %j the command line gets %j', (argv, expected) => {
  const options = argv[1] === 'out/main/main.js' ? { isPackaged: false, appPath: '/x/out/main/main.js' } : unpackaged
  expect(readLaunch(argv, options).argv).toEqual(expected)
})

test('a packaged app takes every argument after its own name except switches of Chromium', () => {
  const argv = ['/opt/Open Compute/ocf-desktop', '--no-sandbox', '--mode', 'local', '--enable-features=X']
  expect(readLaunch(argv, { isPackaged: true, appPath: '/opt/Open Compute/resources/app.asar' }).argv).toEqual([
    '--mode',
    'local',
  ])
})

test('the word that the installer for Windows adds reaches no command line', () => {
  expect(readLaunch(['Open Compute.exe', '--updated'], packaged).argv).toEqual([])
  expect(readLaunch(['Open Compute.exe', '--updated', '--port=1'], packaged).argv).toEqual(['--port=1'])
})

test('behind the word for it everything is for the command line, as it was written', () => {
  const words = ['chat', 'm', '--no-sandbox', 'ocf://models', '--cli']
  expect(readCommandLine(['x', '--cli', ...words], packaged)).toEqual(words)
  expect(readCommandLine(['x', '--ozone-platform=headless', '--disable-gpu', '--cli', 'status'], packaged)).toEqual([
    'status',
  ])
  expect(readCommandLine(['electron', '.', '--cli', 'status'], unpackaged)).toEqual(['status'])
  expect(readCommandLine(['x', '--cli'], packaged)).toEqual([])
})

test('a start of the app, or by a link with words beside it, is no command', () => {
  for (const words of [[], ['--background'], ['--port=1', '--cli'], ['ocf://models', '--cli', 'share', '--all']]) {
    expect(readCommandLine(['x', ...words], packaged)).toBeUndefined()
  }
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (rest, words) => {
      return readCommandLine(['x', `ocf:${rest}`, ...words, '--cli', 'share'], packaged) === undefined
    }),
  )
})

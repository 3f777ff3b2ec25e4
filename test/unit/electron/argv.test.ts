import { expect, test } from 'vitest'
import { readLaunch, restartArgv } from '../../../src-main/electron/argv.js'

const packaged = { isPackaged: true, appPath: '/opt/ocf/resources/app.asar' }
const unpackaged = { isPackaged: false, appPath: '/home/ann/ocf-desktop' }

test('arguments for the window are kept from the command line', () => {
  const argv = ['ocf-desktop', '--background', '--restarted=1', 'ocf://share', '--port=9000', '--no-sandbox']
  expect(readLaunch(argv, packaged)).toEqual({ argv: ['--port=9000'], background: true, restarts: 1, page: 'share' })
})

test('a malformed link, or several links, open no page and never reach the command line', () => {
  expect(readLaunch(['x', 'ocf://share?port=1'], packaged)).toMatchObject({ argv: [], page: undefined })
  expect(readLaunch(['x', 'OCF:--data-dir=/'], packaged)).toMatchObject({ argv: [], page: undefined })
  expect(readLaunch(['x', 'ocf://share', 'ocf://home'], packaged)).toMatchObject({ argv: [], page: undefined })
})

test('a start after a crash keeps the arguments and carries one count of restarts', () => {
  const again = restartArgv(['--port=9000', '--restarted=1', 'ocf://share'], 2)
  expect(again).toEqual(['--port=9000', '--restarted=2'])
  expect(readLaunch(['x', ...again], packaged)).toMatchObject({ argv: ['--port=9000'], restarts: 2 })
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

import { expect, test } from 'vitest'
import { appArguments } from '../../../src-main/electron/app-arguments.js'

const unpackaged = { isPackaged: false, appPath: '/home/ann/ocf-desktop' }

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
])('from %j the app takes %j', (argv, expected) => {
  const options = argv[1] === 'out/main/main.js' ? { isPackaged: false, appPath: '/x/out/main/main.js' } : unpackaged
  expect(appArguments(argv, options)).toEqual(expected)
})

test('a packaged app takes everything after its own name, but for switches of Chromium', () => {
  const argv = ['/opt/Open Compute/ocf-desktop', '--no-sandbox', '--mode', 'local', '--enable-features=X']
  expect(appArguments(argv, { isPackaged: true, appPath: '/opt/Open Compute/resources/app.asar' })).toEqual([
    '--mode',
    'local',
  ])
})

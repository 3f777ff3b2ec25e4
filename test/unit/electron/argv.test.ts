import { expect, test } from 'vitest'
import { readLaunch, restartWords } from '../../../src-main/electron/argv.js'

const packaged = { isPackaged: true, appPath: '/opt/ocf/resources/app.asar' }

test('what is for the window is kept from the command line', () => {
  const argv = ['ocf-desktop', '--background', '--restarted=1', 'ocf://share', '--port=9000', '--no-sandbox']
  expect(readLaunch(argv, packaged)).toEqual({ words: ['--port=9000'], background: true, restarts: 1, page: 'share' })
})

test('a link that is not well formed, or several of them, lead nowhere and never reach the command line', () => {
  expect(readLaunch(['x', 'ocf://share?port=1'], packaged)).toMatchObject({ words: [], page: undefined })
  expect(readLaunch(['x', 'OCF:--data-dir=/'], packaged)).toMatchObject({ words: [], page: undefined })
  expect(readLaunch(['x', 'ocf://share', 'ocf://home'], packaged)).toMatchObject({ words: [], page: undefined })
})

test('a start after a crash has the same words and one count', () => {
  const words = restartWords(['--port=9000', '--restarted=1', 'ocf://share'], 2)
  expect(words).toEqual(['--port=9000', '--restarted=2'])
  expect(readLaunch(['x', ...words], packaged)).toMatchObject({ words: ['--port=9000'], restarts: 2 })
})

test.each(['--restarted=', '--restarted=-1', '--restarted=x', '--restarted=1.5'])('%s counts as none', (word) => {
  expect(readLaunch(['x', word], packaged).restarts).toBe(0)
})

// The end-to-end tests need Chromium (and Xvfb for headed runs), the tests of routers iproute2 and nftables. Debian's
// packages are installed where they are missing and this user may do so; otherwise this says what to install. Without
// Chromium the check fails, without the others their tests are skipped.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const CANDIDATES = {
  linux: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    `${process.env['PROGRAMFILES']}\\Google\\Chrome\\Application\\chrome.exe`,
    `${process.env['PROGRAMFILES(X86)']}\\Microsoft\\Edge\\Application\\msedge.exe`,
  ],
}

const hasChromium = () =>
  [process.env.OCF_CHROMIUM, ...(CANDIDATES[process.platform] ?? [])].some((path) => path && existsSync(path))
const hasXvfb = () => process.platform !== 'linux' || existsSync('/usr/bin/Xvfb')

function apt(...args) {
  const { status } = spawnSync('apt-get', args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  return status === 0
}

const hasProgram = (name) => ['/usr/sbin', '/sbin', '/usr/bin', '/bin'].some((dir) => existsSync(`${dir}/${name}`))
const hasNetTools = () => process.platform !== 'linux' || (hasProgram('ip') && hasProgram('nft'))

const missing = [
  ...(hasChromium() && hasXvfb() ? [] : ['chromium', 'xvfb', 'xauth']),
  ...(hasNetTools() ? [] : ['iproute2', 'nftables']),
]
if (missing.length === 0) process.exit(0)
if (process.platform === 'linux' && process.getuid() === 0 && existsSync('/usr/bin/apt-get')) {
  console.log(`Installing for the tests (once): ${missing.join(', ')}…`)
  if (apt('update', '-qq')) apt('install', '-y', '-qq', ...missing)
}
if (!hasNetTools()) {
  console.warn('The tests of routers are skipped. On Debian or Ubuntu: sudo apt-get install iproute2 nftables')
}
if (hasChromium() && hasXvfb()) process.exit(0)
console.error('The browser tests need Chromium and Xvfb. On Debian or Ubuntu: sudo apt-get install chromium xvfb xauth')
process.exit(1)

import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ServiceSystem } from '../../../../../src-main/cli/commands/node/service/managers.js'
import { runService } from '../../../../../src-main/cli/commands/node/service/service.js'
import { launchdPlist, systemdUnit, windowsTask } from '../../../../../src-main/cli/commands/node/service/unit-text.js'
import { guardedIo } from '../../../../../src-main/cli/guarded-io.js'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ocf-service-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** A system whose programs do what is said here, and note how they were called. */
function system(platform: NodeJS.Platform, answer: (line: string) => number | null = () => 0) {
  const calls: string[] = []
  const made: ServiceSystem = {
    ...{ platform, env: {}, home, uid: 1000, user: 'ann' },
    run(program, ...args) {
      const line = [program, ...args].join(' ')
      calls.push(line)
      const code = answer(line)
      return { code, output: code === 0 ? 'state = running' : 'no' }
    },
  }
  return { made, calls }
}

function service(made: ServiceSystem) {
  const { io, output, errors } = cli()
  const run = (action: string, flags: string[] = []): number =>
    runService({ io: guardedIo(io), system: made }, { action, flags, dataDir: join(home, 'data'), config: '' })
  return { run, output, errors }
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !statSync(join(folder, name)).isDirectory(),
  )

const UNIT = '.config/systemd/user/open-compute.service'
const PLIST = 'Library/LaunchAgents/org.opencompute.node.plist'

describe('ocf service on Linux', () => {
  test('install writes a unit with absolute paths, and enables and starts it', () => {
    const { made, calls } = system('linux')
    const { run, output } = service(made)
    expect(run('install', ['--mode', 'local'])).toBe(EXIT.ok)
    const unit = readFileSync(join(home, UNIT), 'utf8')
    const [start = ''] = unit.split('\n').filter((line) => line.startsWith('ExecStart='))
    const words = [...start.matchAll(/"([^"]*)"/g)].map(([, word]) => word)
    expect(words.slice(2)).toEqual(['start', '--data-dir', join(home, 'data'), '--mode', 'local'])
    for (const path of words.slice(0, 2)) expect(path).toMatch(/^\//)
    expect(unit).toContain('Restart=on-failure')
    expect(calls).toEqual([
      'systemctl --user daemon-reload',
      'systemctl --user enable open-compute.service',
      'systemctl --user restart open-compute.service',
    ])
    expect(output()).toContain('from each login on')
  })

  test('a second install leaves the unit as it is, and a node that runs running', () => {
    const { made, calls } = system('linux')
    const { run } = service(made)
    run('install')
    const before = readFileSync(join(home, UNIT), 'utf8')
    calls.length = 0
    expect(run('install')).toBe(EXIT.ok)
    expect(readFileSync(join(home, UNIT), 'utf8')).toBe(before)
    expect(calls.at(-1)).toBe('systemctl --user start open-compute.service')
  })

  test.each([
    ['with systemd', () => 0],
    ['where systemctl is gone', () => null],
  ])('remove leaves nothing behind %s, and does nothing a second time', (_where, answer) => {
    const { made } = system('linux')
    service(made).run('install')
    const link = join(home, '.config/systemd/user/default.target.wants/open-compute.service')
    mkdirSync(dirname(link))
    symlinkSync(join(home, UNIT), link)
    const { run, output } = service(system('linux', answer).made)
    expect(run('remove')).toBe(EXIT.ok)
    expect(filesIn(home)).toEqual([])
    expect(run('remove')).toBe(EXIT.ok)
    expect(output()).toContain('No service is installed.')
  })

  test('status says whether it is installed and whether the node runs', () => {
    const { run, output } = service(system('linux', (line) => (line.includes('is-active') ? 3 : 0)).made)
    run('status')
    expect(output()).toContain('Not installed.')
    run('install')
    run('status')
    expect(output()).toContain(`Installed: ${join(home, UNIT)}. The node does not run.`)
  })

  test('install says what systemd complains of, and fails', () => {
    const { run, errors } = service(system('linux', (line) => (line.includes('enable') ? 1 : 0)).made)
    expect(run('install')).toBe(EXIT.failed)
    expect(errors()).toContain('systemctl says: no')
  })

  test('install and remove refuse root, and write nothing', () => {
    const { run } = service({ ...system('linux').made, uid: 0 })
    for (const action of ['install', 'remove']) expect(() => run(action)).toThrow('A service of root')
    expect(filesIn(home)).toEqual([])
  })

  test('an unknown action names those there are', () => {
    expect(() => service(system('linux').made).run('start')).toThrow(
      'There is no "start": say install, remove, status.',
    )
  })
})

describe('ocf service on macOS and Windows', () => {
  test('macOS gets a launch agent, once, and loses it again', () => {
    let isLoaded = false
    const { made, calls } = system('darwin', (line) => {
      if (line.includes('bootstrap')) isLoaded = true
      if (line.includes('bootout')) isLoaded = false
      return line.includes('print') && !isLoaded ? 113 : 0
    })
    const { run, output } = service(made)
    expect([run('install'), run('install')]).toEqual([EXIT.ok, EXIT.ok])
    expect(calls.filter((line) => line.includes('bootstrap'))).toEqual([
      `launchctl bootstrap gui/1000 ${join(home, PLIST)}`,
    ])
    run('status')
    expect(output()).toContain('The node runs.')
    expect(run('remove')).toBe(EXIT.ok)
    expect(isLoaded).toBe(false)
    expect(filesIn(home)).toEqual([])
  })

  test('Windows gets a task from a file that is gone afterwards, and loses it again', () => {
    let file = ''
    let text = ''
    let isThere = false
    const { made } = system('win32', (line) => {
      const [, path] = /\/XML (.*) \/F$/.exec(line) ?? []
      if (path !== undefined) {
        file = path
        text = readFileSync(path, 'utf16le')
        isThere = true
      }
      if (line.includes('/Delete')) isThere = false
      return line.includes('/Query') && !isThere ? 1 : 0
    })
    const { run } = service({ ...made, uid: undefined })
    expect(run('install')).toBe(EXIT.ok)
    expect(text).toMatch(/^\ufeff<\?xml/)
    expect(existsSync(file)).toBe(false)
    expect(run('remove')).toBe(EXIT.ok)
    expect(isThere).toBe(false)
  })
})

/** Words that each of the formats has to escape. */
const ODD = ['/opt/A B/no"de', 'C:\\dir\\', '%h', '$HOME', '<&>', "it's", 'ünï'] as const
const COMMAND = { words: ['/usr/bin/true', ...ODD] } as const

const has = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0

describe('the descriptions', () => {
  test.skipIf(!has('systemd-analyze', '--version'))('systemd finds no fault with the unit', () => {
    const file = join(home, 'open-compute.service')
    writeFileSync(file, systemdUnit(COMMAND))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--user', file], {
      encoding: 'utf8',
      env: { ...process.env, XDG_RUNTIME_DIR: home },
    })
    expect([status, stderr.split('\n').filter((line) => line.includes('open-compute'))]).toEqual([0, []])
  })

  test.skipIf(!has('python3', '--version'))('the launch agent is a property list with the words as they were', () => {
    const file = join(home, 'agent.plist')
    writeFileSync(file, launchdPlist(COMMAND, '/tmp/a&b.log'))
    const script = 'import plistlib,json,sys; print(json.dumps(plistlib.load(open(sys.argv[1],"rb"))))'
    const plist = JSON.parse(execFileSync('python3', ['-c', script, file], { encoding: 'utf8' })) as object
    expect(plist).toMatchObject({
      ProgramArguments: COMMAND.words,
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      StandardErrorPath: '/tmp/a&b.log',
    })
  })

  test.skipIf(!has('python3', '--version'))(
    'the Windows task is XML, and its arguments are quoted as programs split them',
    () => {
      const file = join(home, 'task.xml')
      writeFileSync(file, `\ufeff${windowsTask(COMMAND, 'PC\\ann & co')}`, 'utf16le')
      const script = `import json,sys
from xml.etree import ElementTree
root = ElementTree.parse(sys.argv[1]).getroot()
ns = '{http://schemas.microsoft.com/windows/2004/02/mit/task}'
print(json.dumps({ tag: [e.text for e in root.iter(ns + tag)] for tag in ['Command', 'Arguments', 'UserId', 'ExecutionTimeLimit'] }))`
      const task = JSON.parse(execFileSync('python3', ['-c', script, file], { encoding: 'utf8' })) as object
      expect(task).toEqual({
        Command: ['/usr/bin/true'],
        Arguments: ['"/opt/A B/no\\"de" "C:\\dir\\\\" "%h" "$HOME" "<&>" "it\'s" "ünï"'],
        UserId: ['PC\\ann & co', 'PC\\ann & co'],
        ExecutionTimeLimit: ['PT0S'],
      })
    },
  )
})

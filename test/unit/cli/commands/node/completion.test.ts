import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

const HOSTILE = ['$(touch proof)', '`id`', 'a;reboot', 'x\nstatus', '\u001b[2J', '-rf', "it's"]
const MODELS = ['llama3.2:1b', 'llama3.2:3b', 'qwen3', ...HOSTILE].map((id) => ({ id }))
const PEERS = [{ peerId: '12D3KooWFar' }]
const PEOPLE = [{ peerId: '12D3KooWAnn', label: 'Ann' }]

async function completions(...words: string[]): Promise<string[]> {
  const { run, output } = cli({ answers: { 'models.list': MODELS, 'peers.list': PEERS, 'people.list': PEOPLE } })
  expect(await run('completion', '--', ...words)).toBe(EXIT.ok)
  return output().split('\n').slice(0, -1)
}

describe('what completion offers', () => {
  test.each<[string[], string[]]>([
    [['sta'], ['start', 'status']],
    [
      ['launch', 'c'],
      ['claude', 'codex'],
    ],
    [['launch', 'claude', '--model', 'q'], ['qwen3']],
    [
      ['chat', 'llama'],
      ['llama3.2:1b', 'llama3.2:3b'],
    ],
    [['chat', '--data-dir', 'x', 'q'], ['qwen3']],
    [['start', '--log-l'], ['--log-level']],
    [['start', '--log-level', 'wa'], ['warn']],
    [['start', '--relay.max'], ['--relay.max-reservations']],
    [['share', '1', '--with', 'tr'], ['trusted']],
    [['limits', 'conc'], ['concurrent=']],
    [['limits', 'concurrent=1', 'queue-'], ['queue-time=']],
    [['untrust', 'A'], ['Ann']],
    [['doctor', '12D'], ['12D3KooWFar']],
    [
      ['service', ''],
      ['install', 'remove', 'status'],
    ],
    [['nothing', 'x'], []],
    [['launch', 'claude', '--', 'q'], []],
  ])('%j becomes %j', async (words, expected) => {
    expect(await completions(...words)).toEqual(expected)
  })

  test('a name of a model that a shell would act on is not offered', async () => {
    expect(await completions('chat', '')).toEqual(['llama3.2:1b', 'llama3.2:3b', 'qwen3'])
  })

  test('without a running node nothing is offered, and nothing is said', async () => {
    const away = () => Promise.reject(new Error('not running'))
    const { run, output, errors } = cli({ answers: { 'models.list': away } })
    expect(await run('completion', '--', 'chat', '')).toBe(EXIT.ok)
    expect([output(), errors()]).toEqual(['', ''])
  })

  test('completion without a shell, or with an unknown one, says which there are', async () => {
    const { run, errors } = cli()
    expect(await run('completion')).toBe(EXIT.usage)
    expect(await run('completion', 'csh')).toBe(EXIT.usage)
    expect(errors().match(/bash, zsh, fish/g)).toHaveLength(2)
  })
})

/** Whether a shell is here to try its script in. */
const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

describe('the scripts', () => {
  let dir: string
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'ocf-completion-'))
    // Stands in for `ocf completion -- WORDS`: what the command prints is tested above.
    const replies = 'chat\ncharge\nllama3.2:1b\nllama3.2:3b\nconcurrent=\n'
    writeFileSync(join(dir, 'ocf'), `#!/bin/sh\nprintf '%s\\n' "$@" > '${dir}/asked'\nprintf '${replies}'\n`, {
      mode: 0o755,
    })
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { run, output } = cli()
      await run('completion', shell)
      writeFileSync(join(dir, `${shell}.script`), output())
    }
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  const env = (): Record<string, string> => ({ PATH: `${dir}:${process.env['PATH'] ?? ''}`, HOME: dir })

  test.skipIf(!has('bash')).each([
    ['ocf cha', ['chat', 'charge'].filter((word) => word.startsWith('cha'))],
    ['ocf chat llama3.2:3', ['3b']],
    ['ocf chat --data-dir x llama3.2:', ['1b', '3b']],
    ['ocf limits concurrent', ['concurrent=']],
    ['ocf nothing zzz', []],
  ])('bash completes %s', (line, expected) => {
    const script = `source '${dir}/bash.script'
COMP_LINE='${line}' COMP_POINT=${line.length}
_ocf
printf '%s\\n' "\${COMPREPLY[@]}"`
    const out = execFileSync('bash', ['-c', script], { env: env(), encoding: 'utf8' })
    expect(
      out
        .split('\n')
        .filter((word) => word !== '')
        .toSorted(),
    ).toEqual([...expected].toSorted())
  })

  test.skipIf(!has('zsh'))('zsh asks with the words of the line, and takes the answers', () => {
    const words = `words=(ocf chat llama3.2: behind); CURRENT=3`
    // Both belong to the completion system, which takes a terminal.
    const shell = `compdef() { : }; compadd() { print -rl -- "\${(@P)2}" }`
    const script = `${shell}; source '${dir}/zsh.script'; ${words}; _ocf; print -r -- "asked $(<'${dir}/asked')"`
    const out = execFileSync('zsh', ['-fc', script], { env: env(), encoding: 'utf8' })
    expect(out).toContain('llama3.2:1b\nllama3.2:3b\n')
    expect(out).toContain('asked completion\n--\nchat\nllama3.2:\n')
  })

  test.skipIf(!has('fish'))('fish completes by its script', () => {
    const script = `source '${dir}/fish.script'; complete -C 'ocf chat llama3.2:'`
    const out = execFileSync('fish', ['--no-config', '-c', script], { env: env(), encoding: 'utf8' })
    expect(out).toBe('llama3.2:1b\nllama3.2:3b\n')
  })
})

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runProgram } from '../../../../../src-main/cli/commands/launch/run-program.js'
import { TOOL_NAMES, TOOLS } from '../../../../../src-main/cli/commands/launch/tools.js'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

const MODEL = {
  ...{ id: 'work', local: true, shared: false, visibility: 'me', servers: [], contextLength: 65_536 },
  capabilities: ['tools'],
  providers: [{ peerId: 'me', self: true, connected: true, trusted: true, visibility: 'me', load: null }],
}

let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'ocf-launch-'))
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

/** A program that writes what it got into a file, and ends as it is told to. */
function stubTool(name: string, end = 'exit 0'): string {
  const seen = join(scratch, `${name}.seen`)
  const script = `#!/bin/sh\nenv > '${seen}'\nfor word in "$@"; do echo "argument $word" >> '${seen}'; done\n${end}\n`
  writeFileSync(join(scratch, name), script, { mode: 0o755 })
  return seen
}

function launcher(env: Record<string, string> = {}, answers: Record<string, unknown> = {}) {
  return cli({
    env: { PATH: `${scratch}${delimiter}${process.env['PATH'] ?? ''}`, ...env },
    answers: {
      'node.status': { gatewayUrl: 'http://127.0.0.1:8092' },
      'models.list': [MODEL],
      'keys.own': { key: null },
      ...answers,
    },
  })
}

const data = (): string[] => ['--data-dir', join(scratch, 'data')]

test.skipIf(process.platform === 'win32')(
  'a script of cmd.exe gets each argument as one word, with what cmd.exe acts on masked for both of its readings',
  async () => {
    const seen = join(scratch, 'line')
    writeFileSync(join(scratch, 'cmd'), `#!/bin/sh\nprintf %s "$4" > '${seen}'\n`, { mode: 0o755 })
    const given = process.env['ComSpec']
    process.env['ComSpec'] = join(scratch, 'cmd')
    try {
      const file = 'C:\\npm\\codex.cmd'
      expect(await runProgram({ file, args: ['a "b" & %c%', 'end\\'], env: {} })).toBe(0)
    } finally {
      if (given === undefined) delete process.env['ComSpec']
      else process.env['ComSpec'] = given
    }
    const first = String.raw`^^^"a^^^ \^^^"b\^^^"^^^ ^^^&^^^ ^^^%c^^^%^^^"`
    const second = String.raw`^^^"end\\^^^"`
    expect(readFileSync(seen, 'utf8')).toBe(String.raw`""C:\npm\codex.cmd" ${first} ${second}"`)
  },
)

describe.skipIf(process.platform === 'win32')('ocf launch', () => {
  test.each([
    ['claude', ['ANTHROPIC_BASE_URL=http://127.0.0.1:8092', 'ANTHROPIC_MODEL=work', 'ANTHROPIC_AUTH_TOKEN=ocf']],
    ['codex', ['OCF_API_KEY=ocf', 'argument model="work"', 'argument model_context_window=65536']],
    ['opencode', ['OCF_API_KEY=ocf', 'OPENCODE_CONFIG_CONTENT=']],
    ['aider', ['OPENAI_API_BASE=http://127.0.0.1:8092/v1', 'OPENAI_API_KEY=ocf', 'AIDER_MODEL=openai/work']],
  ])('%s gets the gateway and the model, and the arguments behind --', async (tool, expected) => {
    const seen = stubTool(tool)
    const { run, errors } = launcher()
    expect(await run('launch', tool, ...data(), '--', '--flag', 'two words')).toBe(EXIT.ok)
    const got = readFileSync(seen, 'utf8')
    for (const line of [...expected, 'argument --flag', 'argument two words']) expect(got).toContain(line)
    expect(errors()).toContain('with work through http://127.0.0.1:8092')
  })

  test('launch takes keys of the person’s that lead elsewhere out of what the tool sees', async () => {
    const seen = stubTool('claude')
    const { run } = launcher({ ANTHROPIC_API_KEY: 'sk-mine', CLAUDE_CODE_USE_BEDROCK: '1', EDITOR: 'vi' })
    await run('launch', 'claude', ...data())
    const got = readFileSync(seen, 'utf8')
    expect(got).not.toMatch(/sk-mine|BEDROCK/)
    expect(got).toContain('EDITOR=vi')
  })

  test('launch keeps a proxy of the person’s away from the gateway', async () => {
    const seen = stubTool('codex')
    await launcher({ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'corp' }).run('launch', 'codex', ...data())
    expect(readFileSync(seen, 'utf8')).toContain('NO_PROXY=corp,localhost,127.0.0.1,::1')
  })

  test('launch hands the gateway’s key to the tool, and --print does not show it', async () => {
    const seen = stubTool('aider')
    const { run, output } = launcher({}, { 'keys.own': { key: 'ocf-secret' } })
    await run('launch', 'aider', ...data())
    expect(readFileSync(seen, 'utf8')).toContain('OPENAI_API_KEY=ocf-secret')
    await run('launch', 'aider', ...data(), '--print')
    expect(output()).toContain('export OPENAI_API_BASE=http://127.0.0.1:8092/v1')
    expect(output()).not.toContain('ocf-secret')
  })

  test.each(TOOL_NAMES)('launch %s --print starts nothing and writes nothing', async (tool) => {
    const { run, output } = launcher()
    expect(await run('launch', tool, ...data(), '--print', '--', 'a b')).toBe(EXIT.ok)
    expect(output()).toContain(`${TOOLS[tool].program} `)
    expect(output()).toContain("'a b'")
    expect(readdirSync(scratch)).toEqual([])
  })

  test.each([
    ['exit 7', 7],
    ['kill -TERM $$', 143],
  ])('launch exits as the tool does: %s', async (end, code) => {
    stubTool('codex', end)
    expect(await launcher().run('launch', 'codex', ...data())).toBe(code)
  })

  test('launch says how to get a tool that is not installed', async () => {
    const { run, errors } = launcher({ PATH: scratch })
    expect(await run('launch', 'claude', ...data())).toBe(EXIT.failed)
    expect(errors()).toContain('Claude Code is not installed. Get it: npm install -g @anthropic-ai/claude-code')
  })

  test('launch names the tools there are where it does not know one', async () => {
    const { run, errors } = launcher()
    expect(await run('launch', 'cluade', ...data())).toBe(EXIT.usage)
    expect(errors()).toContain(
      'There is no tool "cluade". Did you mean claude? There are claude, codex, opencode, aider.',
    )
  })

  test('launch lets only this user read the tool’s folder, and keeps what the tool wrote into it', async () => {
    stubTool('claude')
    const { run } = launcher()
    await run('launch', 'claude', ...data())
    const folder = join(scratch, 'data', 'launch', 'claude')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    writeFileSync(join(folder, '.claude.json'), '{"theme":"dark"}')
    await run('launch', 'claude', ...data())
    expect(readFileSync(join(folder, '.claude.json'), 'utf8')).toBe('{"theme":"dark"}')
  })

  test('launch hands a hostile name of a model over as one value, and shows it harmlessly', async () => {
    const hostile = `x"\n\u001b[2J' $(touch ${join(scratch, 'proof')}) --yolo`
    const models = { 'models.list': [{ ...MODEL, id: hostile }] }
    for (const tool of TOOL_NAMES) {
      stubTool(tool)
      const { run, errors, output } = launcher({}, models)
      expect(await run('launch', tool, ...data())).toBe(EXIT.ok)
      await run('launch', tool, ...data(), '--print')
      expect(errors() + output()).not.toContain('\u001b')
    }
    expect(readdirSync(scratch)).not.toContain('proof')
  })
})

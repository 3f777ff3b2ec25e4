import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, type TestContext } from 'vitest'
import { findProgram } from '../../src-main/cli/commands/launch/run-program.js'
import { labTest } from '../fixtures/lab-test.js'
import type { NetLab } from '../fixtures/net-lab.js'
import { HEADLESS } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const TIMEOUT_MS = 240_000
const SERVER_PORT = 11_500
const MODEL = 'work-model'

/** What a person has configured for the tools; each leads to somebody else's models. */
const CONFIGURED: Readonly<Record<string, string>> = {
  '.claude.json': '{"numStartups":3}',
  '.claude/settings.json': '{"env":{"ANTHROPIC_BASE_URL":"http://127.0.0.1:1"}}',
  '.codex/config.toml': 'model = "gpt-9"\n',
  '.codex/auth.json': '{"OPENAI_API_KEY":"sk-mine"}',
  '.config/opencode/opencode.json': '{"theme":"system"}',
  '.local/share/opencode/auth.json': '{"openai":{"type":"api","key":"sk-mine"}}',
  '.aider.conf.yml': 'model: gpt-9\n',
  '.gitconfig': '[user]\n  name = A\n  email = a@example.org\n',
  '.config/gh/hosts.yml': 'github.com: {}\n',
}

/** Does what the tool's documents say it does with its variables. */
const ASK = `
  const ask = async (url, key, body) => {
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', authorization: 'Bearer ' + key } })
    console.log(await answer.text())
  }
  const messages = [{ role: 'user', content: 'Say pong' }]
  const { env, argv } = process
`
const STAND_INS: Readonly<Record<string, string>> = {
  claude: `ask(env.ANTHROPIC_BASE_URL + '/v1/messages', env.ANTHROPIC_AUTH_TOKEN,
    { model: env.ANTHROPIC_MODEL, max_tokens: 9, messages })`,
  codex: `const value = (name) => argv.find((word) => word.startsWith(name + '='))?.slice(name.length + 1)
    const [, url] = /base_url="([^"]*)"/.exec(value('model_providers.ocf'))
    ask(url + '/responses', env.OCF_API_KEY, { model: JSON.parse(value('model')), input: 'Say pong' })`,
  opencode: `const { model, provider } = JSON.parse(env.OPENCODE_CONFIG_CONTENT)
    ask(provider.ocf.options.baseURL + '/chat/completions', env.OCF_API_KEY,
      { model: model.slice('ocf/'.length), messages })`,
  aider: `ask(env.OPENAI_API_BASE + '/chat/completions', env.OPENAI_API_KEY,
    { model: env.AIDER_MODEL.slice('openai/'.length), messages })`,
}

/** The words that make each tool answer once. */
const ONCE: Readonly<Record<string, string[]>> = {
  claude: ['-p', 'say pong'],
  codex: ['exec', '--skip-git-repo-check', 'say pong'],
  opencode: ['run', 'say pong'],
  aider: ['--yes-always', '--no-git', '--message', 'say pong'],
}

const PATHS: Readonly<Record<string, string>> = {
  claude: '/v1/messages',
  codex: '/v1/responses',
  opencode: '/v1/chat/completions',
  aider: '/v1/chat/completions',
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  )
}

const hashes = (folder: string): Record<string, string> =>
  Object.fromEntries(
    filesBelow(folder).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  )

/** A person's home, and a machine with a node and a model that no address but loopback can be reached from. */
async function desk(lab: NetLab, onTestFinished: TestContext['onTestFinished']) {
  const scratch = mkdtempSync(join(tmpdir(), 'ocf-launch-'))
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }))
  const [home, bin, work] = ['home', 'bin', 'work'].map((name) => join(scratch, name)) as [string, string, string]
  for (const folder of [bin, work]) mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(CONFIGURED)) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    writeFileSync(join(home, name), text)
  }
  const record = join(scratch, 'requests')
  const host = lab.host('desk')
  const server = pathToFileURL(join(import.meta.dirname, '../fixtures/coding-model.mjs')).href
  await lab.server(host, `import('${server}').then(({ listen }) => listen(${SERVER_PORT}, ${JSON.stringify(record)}))`)
  const shared = ['--service.name', 'llm', '--service.port', String(SERVER_PORT)]
  const node = await lab.node(host, ['--mode', 'standalone', ...shared])
  await until(async () => (await lab.fetch(host, `${node.gateway}/v1/models`)).text.includes(MODEL), {
    what: 'the model is listed',
  })
  const launchOf = (tool: string, path: string): [string, ...string[]] => {
    const env = [`HOME=${home}`, `PATH=${path}`, 'ANTHROPIC_API_KEY=sk-mine', 'OPENAI_API_KEY=sk-mine']
    const words = ['launch', tool, '--data-dir', node.dataDir, '--', ...(ONCE[tool] ?? [])]
    return ['env', '-C', work, ...env, process.execPath, HEADLESS, ...words]
  }
  return {
    home,
    bin,
    launch: (tool: string, path: string): string => lab.run(host, ...launchOf(tool, path)),
    start: (tool: string, path: string) =>
      spawn('ip', ['netns', 'exec', host.namespace, ...launchOf(tool, path)], { stdio: 'ignore' }),
    asked: (): { path: string; model: string }[] =>
      readFileSync(record, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { path: string; model: string }),
  }
}

for (const [tool, source] of Object.entries(STAND_INS)) {
  labTest(
    `a stand-in for ${tool} that goes by its documents gets an answer through the gateway, and finds nothing changed of what the person configured`,
    { timeout: TIMEOUT_MS },
    async ({ lab, onTestFinished }) => {
      const { home, bin, launch, asked } = await desk(lab, onTestFinished)
      writeFileSync(join(bin, tool), `#!${process.execPath}\n${ASK}${source}\n`, { mode: 0o755 })
      const before = hashes(home)
      expect(launch(tool, bin)).toContain('PONG')
      expect(asked()).toContainEqual({ path: PATHS[tool], model: MODEL })
      expect(hashes(home)).toEqual(before)
    },
  )

  // Real ones are large: `npm install -g` them, or name a folder with them in the PATH, to have them tried here.
  const program = findProgram(tool, process.env)
  const realTest = program === undefined ? labTest.skip : labTest
  realTest(
    `${tool} itself gets its first answer through the gateway without a way out, and leaves what the person configured as it was`,
    { timeout: TIMEOUT_MS },
    async ({ lab, onTestFinished }) => {
      const { home, launch, asked } = await desk(lab, onTestFinished)
      const before = hashes(home)
      const path = [dirname(program ?? ''), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter)
      expect(launch(tool, path)).toContain('PONG')
      expect(asked()).toContainEqual({ path: PATHS[tool], model: MODEL })
      expect(hashes(home)).toMatchObject(before)
    },
  )
}

labTest(
  'a signal to ocf launch goes on to the tool, and the exit code of the tool comes back',
  { timeout: TIMEOUT_MS },
  async ({ lab, onTestFinished }) => {
    const { bin, start } = await desk(lab, onTestFinished)
    const running = join(bin, 'running')
    const source = `process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1e6)
      require('node:fs').writeFileSync('${running}', '')`
    writeFileSync(join(bin, 'codex'), `#!${process.execPath}\n${source}\n`, { mode: 0o755 })
    const child = start('codex', bin)
    const exited = once(child, 'exit')
    await until(() => existsSync(running), { what: 'the tool runs' })
    child.kill('SIGTERM')
    expect(await exited).toEqual([9, null])
  },
)

labTest(
  'ocf launch that is killed leaves what the person configured for the tool as it was',
  { timeout: TIMEOUT_MS },
  async ({ lab, onTestFinished }) => {
    const { home, bin, start } = await desk(lab, onTestFinished)
    const running = join(bin, 'running')
    const source = `require('node:fs').writeFileSync('${running}', String(process.pid)); setInterval(() => {}, 1e6)`
    writeFileSync(join(bin, 'opencode'), `#!${process.execPath}\n${source}\n`, { mode: 0o755 })
    const before = hashes(home)
    const child = start('opencode', bin)
    const exited = once(child, 'exit')
    await until(() => existsSync(running) && readFileSync(running, 'utf8') !== '', { what: 'the tool runs' })
    child.kill('SIGKILL')
    await exited
    process.kill(Number(readFileSync(running, 'utf8')), 'SIGKILL')
    expect(hashes(home)).toEqual(before)
  },
)

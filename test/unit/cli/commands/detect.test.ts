import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../../src-main/cli/io.js'
import { createFakeSharing } from '../../../contract/fake-sharing.js'
import { cli } from '../cli-fixture.js'

const sharing = createFakeSharing()

const servers = sharing.detector.servers()

describe('ocf detect', () => {
  it('lists servers with their models and problems', async () => {
    const problem = { ...servers[0], state: 'no-models', models: [], problem: 'Pull one.', sharedAs: null }
    const { run, output } = cli({ answers: { 'detection.scan': [servers[0], problem] } })
    expect(await run('detect')).toBe(EXIT.ok)
    expect(output()).toContain('127.0.0.1:11434  Ollama 0.13.0  ready')
    expect(output()).toContain('1 model: llama3.2:latest')
    expect(output()).toContain('127.0.0.1:11434: Pull one.')
  })

  it('says what to do where there is none', async () => {
    const { run, output } = cli({ answers: { 'detection.scan': [] } })
    expect(await run('detect')).toBe(EXIT.ok)
    expect(output()).toContain('No model server is running')
  })
})

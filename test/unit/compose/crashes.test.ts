import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Throws from a timer, in a process of its own, and says whether the next timer still came. */
async function afterUncaught(error: string): Promise<{ code: number; lines: string[] }> {
  const program = `
    import { handleCrashes } from ${JSON.stringify(at('../../../src-main/compose/crashes.ts'))}
    const log = { error: (sentence) => console.log(sentence) }
    handleCrashes({ log, onCrash: () => process.exit(1) }, { sentence: 'it failed' })
    setTimeout(() => { throw ${error} }, 1)
    setTimeout(() => console.log('it lives'), 50)`
  const args = ['--no-warnings', '--import', at('../../fixtures/typescript-hooks.mjs'), '--input-type=module']
  try {
    const { stdout } = await run(process.execPath, [...args, '-e', program])
    return { code: 0, lines: stdout.trim().split('\n') }
  } catch (failure) {
    const { code, stdout } = failure as { code: number; stdout: string }
    return { code, lines: stdout.trim().split('\n') }
  }
}

test.each(['EMFILE', 'ENFILE'])('an uncaught %s from a library is logged and survived', async (code) => {
  const error = `Object.assign(new Error('accept ${code}'), { code: '${code}', syscall: 'accept' })`
  expect(await afterUncaught(error)).toEqual({
    code: 0,
    lines: ['a file or socket could not be opened, for too many are open', 'it lives'],
  })
})

test('the plain number of a failed list of network interfaces is known too', async () => {
  const error = `Object.assign(new Error('no'), { code: 'ERR_SYSTEM_ERROR', errno: 24, syscall: 'uv_interface_addresses' })`
  expect((await afterUncaught(error)).lines).toContain('it lives')
})

test.each(["new TypeError('x is not a function')", "Object.assign(new Error('read'), { code: 'EIO' })"])(
  'any other uncaught error still ends the process with a line in the log: %s',
  async (error) => {
    expect(await afterUncaught(error)).toEqual({ code: 1, lines: ['it failed'] })
  },
)

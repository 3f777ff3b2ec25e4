import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for what lasts as long as a run: the process of the tests is ended from outside, and tidies nothing up. */
export default function setUp(): void {
  const folder = mkdtempSync(join(tmpdir(), 'ocf-e2e-'))
  process.env['TEST_SCRATCH'] = folder
  // The browser may still be writing while it ends.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
}

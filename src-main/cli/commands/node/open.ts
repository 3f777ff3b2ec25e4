import { randomBytes } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'

/** The options of `ocf open`. */
export const OPEN_OPTIONS: [flags: string, help: string][] = [
  ['--print', 'Prints the link and opens no browser.'],
  ['--new-link', 'Makes a new link first: the one before no longer opens the dashboard.'],
]

/**
 * `ocf open`: the dashboard in the browser; its link on standard output where there is no display, or on request. On a
 * terminal the link is printed in any case.
 */
export async function runOpen(
  needs: { io: CliIo; client: ControlClient },
  options: { own: Readonly<Record<string, unknown>>; dataDir: string },
): Promise<number> {
  const { io, client } = needs
  const link = await client.dashboard({ replace: options.own.newLink === true })
  const page = io.openInBrowser === undefined || options.own.print === true ? undefined : await signpost(options, link)
  if (page === undefined) {
    io.stdout.write(`${link}\n`)
    return EXIT.ok
  }
  io.openInBrowser?.(page)
  io.stdout.write('The dashboard opens in your browser.\n')
  if (io.stdout.isTTY === true) io.stdout.write(`If it does not, open this link: ${link}\n`)
  return EXIT.ok
}

/**
 * A page of one line that leads on to the dashboard, for this person only; undefined where it cannot be written. The
 * browser gets its path: a link on a command line could be read by every user of the machine.
 */
async function signpost({ dataDir }: { dataDir: string }, link: string): Promise<string | undefined> {
  const file = join(dataDir, 'open-dashboard.html')
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  const target = link.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
  const page = `<!doctype html><meta http-equiv="refresh" content="0; url=${target}"><title>Open Compute</title>\n`
  try {
    await writeFile(draft, page, { mode: 0o600, flag: 'wx' })
    await rename(draft, file)
    return file
  } catch {
    return undefined // The folder of another user's node, say: the link is printed instead.
  }
}

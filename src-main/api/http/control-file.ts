import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readJsonFile, writeJsonFile } from '../../base/json-file.js'

/** How the command line finds the running node: address and token, readable by its owner only. */
const ControlFileSchema = z.object({
  url: z.url(),
  token: z.string().min(1),
  pid: z.number().int().positive(),
  /** The gateway's base address without `/v1`; null when it has none. */
  gateway: z.string().nullable(),
})
export type ControlFile = z.output<typeof ControlFileSchema>

/** Where a new token is asked for. Not a call of the contract: only HTTP has a token. */
export const REPLACE_TOKEN_PATH = '/api/replace-token'

/** Where the control file of a data directory is. */
export function controlFilePath(dataDir: string): string {
  return join(dataDir, 'control.json')
}

/** Writes the control file; a reader sees the old one or the new one, never half of it. Its mode is 0600 from the first byte on. */
export async function writeControlFile(path: string, content: ControlFile): Promise<void> {
  await writeJsonFile(path, content)
}

/** The file's content; undefined when it is missing or not a control file. */
export async function readControlFile(path: string): Promise<ControlFile | undefined> {
  const content = await readJsonFile(path, ControlFileSchema)
  return content.kind === 'read' ? content.value : undefined
}

/** Removes the file unless another start has written its own meanwhile. */
export async function removeControlFile(path: string, own: Pick<ControlFile, 'url' | 'pid'>): Promise<void> {
  const current = await readControlFile(path)
  if (current?.pid === own.pid && current.url === own.url) await rm(path, { force: true })
}

/** The address to open in a browser: the token stands behind `#`, which no browser sends. */
export function dashboardLink({ url, token }: Pick<ControlFile, 'url' | 'token'>): string {
  return `${url}/#token=${token}`
}

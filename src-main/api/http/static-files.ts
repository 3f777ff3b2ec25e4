import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'

/** A file of the dashboard, ready to send. */
export interface StaticFile {
  readonly contentType: string
  readonly cacheControl: string
  read(): Promise<Buffer>
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
}

/** Far more than a build has; a wrong directory must not be read to its end. */
const MAX_FILES = 1000

/**
 * The files below `directory` by URL path, listed once. Nothing else can be asked for, so there is no path of a request
 * that could lead out of it. Empty when the directory does not exist; source maps are left out.
 */
export async function listStaticFiles(directory: string): Promise<ReadonlyMap<string, StaticFile>> {
  const files = new Map<string, StaticFile>()
  for (const entry of await entriesBelow(directory)) {
    const path = join(entry.parentPath, entry.name)
    const contentType = CONTENT_TYPES[extname(entry.name)]
    if (!entry.isFile() || contentType === undefined || files.size >= MAX_FILES) continue
    const urlPath = `/${relative(directory, path).split(sep).join('/')}`
    files.set(urlPath, {
      contentType,
      // Built assets carry a hash in their name.
      cacheControl: urlPath.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      read: () => readFile(path),
    })
  }
  const index = files.get('/index.html')
  if (index !== undefined) files.set('/', index)
  return files
}

async function entriesBelow(directory: string) {
  try {
    return await readdir(directory, { recursive: true, withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

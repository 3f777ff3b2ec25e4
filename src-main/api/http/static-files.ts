import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/** How a file may be packed for the way. */
type Encoding = 'br' | 'gzip'

/** A file of the dashboard, ready to send. */
export interface StaticFile {
  readonly contentType: string
  readonly cacheControl: string
  read(): Promise<Buffer>
  /** The same packed; each is packed once. Undefined for what is packed already. */
  packed(encoding: Encoding): Promise<Buffer> | undefined
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

/** What gets smaller by packing; pictures and fonts are packed already. */
const PACKABLE: ReadonlySet<string> = new Set(['.html', '.js', '.css', '.svg', '.json', '.txt'])

const packers: Readonly<Record<Encoding, (bytes: Buffer) => Promise<Buffer>>> = {
  // Close to the smallest, in a tenth of its time: the first page waits for it.
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 7 } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
}

/** The best way to pack that a client takes, by its `Accept-Encoding`; undefined for none. */
export function encodingFor(accepted: string | undefined): Encoding | undefined {
  const taken = new Map(
    (accepted ?? '').split(',').map((part) => {
      const [name = '', ...options] = part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/)
      const weight = options.find((option) => option.startsWith('q='))
      return [name, weight === undefined ? 1 : Number(weight.slice(2))] as const
    }),
  )
  const isTaken = (name: string): boolean => (taken.get(name) ?? taken.get('*') ?? 0) > 0
  return (['br', 'gzip'] as const).find(isTaken)
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
      packed: packedOnce(path, entry.name),
    })
  }
  const index = files.get('/index.html')
  if (index !== undefined) files.set('/', index)
  return files
}

/** Packs a file when it is first asked for, and keeps that: a build has few files, which do not change. */
function packedOnce(path: string, name: string): StaticFile['packed'] {
  const kept = new Map<Encoding, Promise<Buffer>>()
  if (!PACKABLE.has(extname(name))) return () => undefined
  return (encoding) => {
    const packed = kept.get(encoding) ?? readFile(path).then(packers[encoding])
    kept.set(encoding, packed)
    // One that could not be read is tried again.
    packed.catch(() => kept.delete(encoding))
    return packed
  }
}

async function entriesBelow(directory: string) {
  try {
    return await readdir(directory, { recursive: true, withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

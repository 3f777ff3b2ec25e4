import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A file of the documentation page. */
export interface DocsFile {
  contentType: string
  body: Buffer | string
}

/** Swagger UI's files, which the build copies. */
export interface DocsFiles {
  /** False where they were not built: the page is a plain list then. */
  isComplete(): Promise<boolean>
  /** Undefined for anything but those files. */
  read(name: string): Promise<DocsFile | undefined>
}

/** The only names that can be asked for. */
const CONTENT_TYPES = new Map([
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui.css', 'text/css; charset=utf-8'],
])

/** Reads from `dir` when first asked, once each. */
export function createDocsFiles(dir: string | null): DocsFiles {
  const files = new Map<string, Promise<DocsFile | undefined>>()

  async function load(name: string, contentType: string): Promise<DocsFile | undefined> {
    if (dir === null) return undefined
    try {
      return { contentType, body: await readFile(join(dir, name)) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  function read(name: string): Promise<DocsFile | undefined> {
    const contentType = CONTENT_TYPES.get(name)
    if (contentType === undefined) return Promise.resolve(undefined)
    let file = files.get(name)
    if (file === undefined) {
      file = load(name, contentType)
      files.set(name, file)
      // A fault is answered now and asked again next time.
      file.catch(() => files.delete(name))
    }
    return file
  }

  return {
    read,
    async isComplete() {
      const all = await Promise.all([...CONTENT_TYPES.keys()].map(read))
      return all.every((file) => file !== undefined)
    },
  }
}

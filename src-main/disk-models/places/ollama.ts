import { join, relative, sep } from 'node:path'
import { z } from 'zod'
import type { FoundFile, Place } from './place.js'
import { filesBelow, isFile, smallJson } from './walk.js'

const LayerSchema = z.object({
  mediaType: z.string().max(200),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
})
/** What `ollama pull` writes for each model: which blob is what. */
const ManifestSchema = z.object({ layers: z.array(LayerSchema).max(64) })

const MODEL = 'application/vnd.ollama.image.model'
const PROJECTOR = 'application/vnd.ollama.image.projector'

/** Ollama: `manifests/HOST/NAMESPACE/MODEL/TAG` names the blobs in `blobs/`. */
export const ollama: Place = async function* ({ home, platform, env }, bounds) {
  const named = env['OLLAMA_MODELS']
  const usual = [join(home, '.ollama', 'models')]
  // Where its service on Linux runs as a user of its own.
  if (platform === 'linux') usual.push('/usr/share/ollama/.ollama/models', '/var/lib/ollama/.ollama/models')
  for (const root of named === undefined || named === '' ? usual : [named]) {
    const manifests = join(root, 'manifests')
    for await (const path of filesBelow(manifests, () => true, bounds)) {
      const found = await read(root, path, nameOf(relative(manifests, path)))
      if (found !== undefined) yield found
    }
  }
}

async function read(root: string, manifest: string, name: string | undefined): Promise<FoundFile | undefined> {
  const layers = ManifestSchema.safeParse(await smallJson(manifest)).data?.layers ?? []
  const blobOf = (mediaType: string): { path: string; digest: string } | undefined => {
    const digest = layers.find((layer) => layer.mediaType === mediaType)?.digest.slice('sha256:'.length)
    return digest === undefined ? undefined : { path: join(root, 'blobs', `sha256-${digest}`), digest }
  }
  const model = blobOf(MODEL)
  if (name === undefined || model === undefined || !(await isFile(model.path))) return undefined
  const projector = blobOf(PROJECTOR)
  return {
    ...{ app: 'ollama', ...model, name },
    ...(projector !== undefined && (await isFile(projector.path)) ? { projector: projector.path } : {}),
  }
}

/** As `ollama list` writes it: `llama3.2:latest`, `someone/model:tag`, `hf.co/org/model:Q4_K_M`. */
function nameOf(path: string): string | undefined {
  const parts = path.split(sep)
  const [host, namespace, ...rest] = parts
  const tag = rest.pop()
  if (host === undefined || namespace === undefined || tag === undefined || rest.length !== 1) return undefined
  const model = `${rest.join('')}:${tag}`
  if (host !== 'registry.ollama.ai') return `${host}/${namespace}/${model}`
  return namespace === 'library' ? model : `${namespace}/${model}`
}

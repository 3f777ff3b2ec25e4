// Prints the Dockerfile with its base image by digest, which a release hands out:
//   node .ci/pin-images.ts sha256:… > Dockerfile.pinned
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The one image that the container is made from. */
const BASE_IMAGE = 'node:24-bookworm-slim'

/** `dockerfile` with the digest at every use of the base image. Throws for what is no digest and for another image. */
export function pinned(dockerfile: string, digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`"${digest}" is not the digest of an image.`)
  return dockerfile.replaceAll(/^FROM (\S+)/gm, (_line, image: string) => {
    if (image !== BASE_IMAGE) throw new Error(`The Dockerfile is made from ${image}, and only ${BASE_IMAGE} is known.`)
    return `FROM ${BASE_IMAGE}@${digest}`
  })
}

if (import.meta.main) {
  const dockerfile = readFileSync(join(resolve(import.meta.dirname, '..'), 'Dockerfile'), 'utf8')
  process.stdout.write(pinned(dockerfile, process.argv[2] ?? ''))
}

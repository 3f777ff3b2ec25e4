import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** How this program was packed. */
export interface Packaging {
  isPackaged: boolean
  platform: NodeJS.Platform
  /** The folder with `app.asar` in it; the packager writes its files about updates there. */
  resourcesDir: string
  /** The file of an AppImage; undefined for everything else. */
  appImage: string | undefined
}

/** Why this program can't update itself, with what to do instead; undefined when it can. */
export function whyNoUpdates({ isPackaged, platform, resourcesDir, appImage }: Packaging): string | undefined {
  if (!isPackaged) return 'This app runs from its source code. Fetch the newer source and build it again.'
  if (platform === 'linux' && appImage === undefined) {
    const kind = packageType(resourcesDir)
    return kind === undefined
      ? 'This app was unpacked from an archive, which does not update itself. Unpack the newer archive in its place.'
      : `This app was installed as a ${kind} package, which does not update itself. Install the newer package over it.`
  }
  if (existsSync(join(resourcesDir, 'app-update.yml'))) return undefined
  return 'This package does not say where newer versions are published. Install the newer version over it.'
}

/** `deb` or `rpm`, which the packager notes. */
function packageType(resourcesDir: string): string | undefined {
  const file = join(resourcesDir, 'package-type')
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

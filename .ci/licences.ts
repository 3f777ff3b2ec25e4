// The licences of what the built program is made of. The build writes them beside the page and the packages; by hand:
//   node .ci/licences.ts > THIRD-PARTY-LICENSES
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** One package of the production tree, or one of which the built files contain a part. */
export interface LicensedPackage {
  name: string
  version: string
  /** As an SPDX expression, or what stands in its place. */
  licence: string
  /** Its licence and notice files; none where the package brings none. */
  texts: string[]
}

interface Manifest {
  version?: string
  license?: string | { type?: string }
  author?: string | { name?: string }
}

/** Packages that are only needed to build, and of which the built files contain a part. */
const BUNDLED = new Set([
  'react',
  'react-dom',
  'scheduler',
  'zustand',
  'uplot',
  'qrcode.react',
  'marked',
  'lowlight',
  'devlop',
  'dequal',
  'highlight.js',
  'temml',
  '@tanstack/react-virtual',
  '@tanstack/virtual-core',
  'swagger-ui-dist',
])

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i
const RULE = '-'.repeat(100)

/**
 * The packages that come with the program: what the lock file does not mark as development, as far as it is installed
 * here (natives of other systems are not), and what is bundled. In the order of their names.
 */
export function licensedPackages(root: string): LicensedPackage[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean } | undefined>
  }
  const found = new Map<string, LicensedPackage>()
  for (const [path, entry] of Object.entries(lock.packages)) {
    const name = path.replace(/^.*node_modules\//, '')
    if (path === '' || (entry?.dev === true && !BUNDLED.has(name)) || !existsSync(join(root, path))) continue
    const read = readPackage(join(root, path), name)
    found.set(`${name} ${read.version}`, read)
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** The texts of all licences, each once, with the packages it goes for. `ownLicence` is the text of Apache-2.0. */
export function licencesText(packages: readonly LicensedPackage[], ownLicence: string): string {
  const users = new Map<string, string[]>()
  for (const { name, version, licence, texts } of packages) {
    for (const text of texts.length > 0 ? texts : [standardText(licence, name, ownLicence)]) {
      const list = users.get(text) ?? []
      list.push(`${name} ${version} (${licence})`)
      users.set(text, list)
    }
  }
  const parts = [...users].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`)
  return [
    'Open Compute is made with the work of others. These are the packages that come with it, and their licences.\n',
    ...parts,
  ].join(`\n${RULE}\n\n`)
}

function readPackage(folder: string, name: string): LicensedPackage {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  const licence = typeof manifest.license === 'string' ? manifest.license : manifest.license?.type
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && LICENCE_FILE.test(entry.name))
    .map((entry) => readFileSync(join(folder, entry.name), 'utf8').replaceAll('\r\n', '\n').trim())
  return { name, version: manifest.version ?? '', licence: licence ?? 'see its package', texts }
}

/** For the packages that name a licence and bring no text of it. Where Apache-2.0 may be chosen, it is. */
function standardText(licence: string, name: string, apache: string): string {
  if (licence.includes('Apache-2.0')) return apache.trim()
  if (licence === 'MIT') return `Copyright (c) the authors of ${name}\n\n${MIT}`
  throw new Error(`${name} has the licence ${licence} and no text of it: add the text in .ci/licences.ts.`)
}

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..')
  process.stdout.write(licencesText(licensedPackages(root), readFileSync(join(root, 'LICENSE'), 'utf8')))
}

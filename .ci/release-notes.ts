// Prints what the changelog says of a version: node .ci/release-notes.ts v1.2.3
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * The section of the version of `tag` (`v1.2.3`). Throws when `packageVersion` is another one, or when the changelog
 * says nothing of it.
 */
export function releaseNotes(tag: string, changelog: string, packageVersion: string): string {
  const version = tag.replace(/^v/, '')
  if (version !== packageVersion) {
    throw new Error(`The tag is ${tag} and package.json has ${packageVersion}: set one right.`)
  }
  const sections = changelog.replaceAll('\r\n', '\n').split(/^## /m).slice(1)
  const section = sections.find((text) => /^\[?([^\]\s]+)/.exec(text)?.[1] === version)
  const body = section?.slice(section.indexOf('\n')).trim()
  if (body === undefined || body === '') {
    throw new Error(`CHANGELOG.md has no section "## ${version}": move what is unreleased there.`)
  }
  return `${body}\n`
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..')
  const read = (name: string): string => readFileSync(join(root, name), 'utf8')
  const { version } = JSON.parse(read('package.json')) as { version: string }
  process.stdout.write(releaseNotes(process.argv[2] ?? '', read('CHANGELOG.md'), version))
}

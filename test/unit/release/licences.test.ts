import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { licencesText, licensedPackages } from '../../../.ci/licences.ts'

const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>
}
const APACHE = readFileSync(join(ROOT, 'LICENSE'), 'utf8')
const packages = licensedPackages(ROOT)

it('knows every dependency and what is bundled, and nothing that only builds or tests', () => {
  const names = packages.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining([...Object.keys(dependencies), 'react-dom', 'zustand', 'uplot']))
  for (const name of ['vitest', 'electron', 'typescript', 'node']) expect(names).not.toContain(name)
})

it('knows every package that the pages import, which the build puts into their files', () => {
  const folder = join(ROOT, 'src-renderer')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name))
  const imported = files.flatMap((name) => {
    const source = readFileSync(join(folder, name), 'utf8')
    return [...source.matchAll(/^(?:import|\} from)[^'\n]* ?'((?:@[\w-]+\/)?[a-z][\w.-]*)/gm)].map((match) => match[1])
  })
  expect(imported.length).toBeGreaterThan(0)
  expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining([...new Set(imported)]))
})

it('gives the text of a licence for each of them', () => {
  const text = licencesText(packages, APACHE)
  for (const { name, version, licence } of packages) expect(text).toContain(`${name} ${version} (${licence})`)
  expect(text.split('TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION').length).toBeGreaterThan(1)
})

it('writes a text once for all packages that have it', () => {
  const of = (name: string) => ({ name, version: '1.0.0', licence: 'ISC', texts: ['Do as you like.'] })
  const text = licencesText([of('a'), of('b')], APACHE)
  expect(text).toContain('a 1.0.0 (ISC)\nb 1.0.0 (ISC)\n\nDo as you like.\n')
  expect(text.split('Do as you like.')).toHaveLength(2)
})

it('refuses a package whose licence it has no text of', () => {
  const unknown = { name: 'x', version: '1.0.0', licence: 'see its package', texts: [] }
  expect(() => licencesText([unknown], APACHE)).toThrow('x has the licence see its package')
})

it('has licences only that may go with a program under Apache-2.0', () => {
  const fine = /^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|Python-2\.0|Unlicense|CC0-1\.0)$/
  for (const { name, licence } of packages) {
    const choices = licence.replace(/[()]/g, '').split(' OR ')
    expect(
      choices.some((choice) => choice.split(' AND ').every((one) => fine.test(one))),
      `${name}: ${licence}`,
    ).toBe(true)
  }
})

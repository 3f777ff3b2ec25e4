import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..', '..')
const TEMPLATES = join(dirname(createRequire(import.meta.url).resolve('app-builder-lib/package.json')), 'templates')
const dir = mkdtempSync(join(tmpdir(), 'ocf-installers-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const noNsis =
  spawnSync('makensis', ['-VERSION']).status === 0
    ? undefined
    : 'makensis is not on this machine (Debian: apt-get install nsis): what Windows’ uninstaller does is not compiled'

/** Of the packager's own script only what ours stands on: its words and libraries. */
const UNINSTALLER = `
Unicode true
!include LogicLib.nsh
!define APP_ID "org.opencompute.desktop"
!macro _isUpdated _a _b _t _f
  StrCmp $9 "--updated" \`\${_t}\` \`\${_f}\`
!macroend
!define isUpdated \`"" isUpdated ""\`
Name "Open Compute"
OutFile "${join(dir, 'open-compute.exe')}"
InstallDir "$LOCALAPPDATA\\Programs\\ocf-desktop"
!include "${join(ROOT, 'assets', 'installer.nsh')}"
Section
  WriteUninstaller "$INSTDIR\\Uninstall.exe"
SectionEnd
Section Uninstall
  !insertmacro customUnInstall
SectionEnd
`

test('what Windows’ uninstaller takes along compiles without a warning', (context) => {
  context.skip(noNsis !== undefined, noNsis)
  const script = join(dir, 'uninstaller.nsi')
  writeFileSync(script, UNINSTALLER)
  const { status, stdout } = spawnSync('makensis', ['-WX', '-V2', script], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})

test('the packager’s uninstaller for Windows calls what is taken along, and knows its words', () => {
  const template = readFileSync(join(TEMPLATES, 'nsis', 'uninstaller.nsh'), 'utf8')
  expect(template).toContain('!insertmacro customUnInstall')
  expect(template).toContain('${isUpdated}')
})

test.each(['after-install.tpl', 'after-remove.tpl'])(
  'the script %s of the packages for Debian and Fedora is one that a shell takes',
  (name) => {
    const words: Record<string, string> = { executable: 'ocf-desktop', sanitizedProductName: 'Open Compute' }
    const template = readFileSync(join(TEMPLATES, 'linux', name), 'utf8')
    const script = template.replaceAll(/\$\{(\w+)\}/g, (_all, word: string) => {
      expect(words, `${name} has a word that this test does not know`).toHaveProperty(word)
      return words[word] ?? ''
    })
    execFileSync('bash', ['-n'], { input: script })
  },
)

test('the command of the packages is one that any shell takes, and starts the program where they put it', () => {
  const script = readFileSync(join(ROOT, 'assets', 'bin', 'ocf'), 'utf8')
  execFileSync('sh', ['-n'], { input: script })
  expect(script).toContain("program='/opt/Open Compute/ocf-desktop'")
})

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { buildMatrix, releasePackages, updateLists } from '../../../.ci/packages.ts'

const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const packages = releasePackages()
const builder = parse(read('electron-builder.yml')) as Record<string, Record<string, unknown>>
const manifest = JSON.parse(read('package.json')) as { desktopName: string; productName: string }

/** What the name of a package ends in, as people see it. */
const endOf = (file: string): string => file.replace('ocf-desktop-VERSION', '…')

describe('the packages of a release', () => {
  it('the page about installing names each package for people, and no other', () => {
    const forPeople = packages.filter(({ target }) => target !== 'zip').map(({ file }) => endOf(file))
    const named = [...read('docs/installing.md').matchAll(/`(…-(?:linux|mac|win)-[\w.]+)`/g)].map(([, name]) => name)
    expect(named.toSorted()).toEqual(forPeople.toSorted())
  })

  it('the page about releasing names each list of updates that an app asks for', () => {
    for (const list of updateLists(packages)) expect(read('docs/releasing.md')).toContain(`\`${list}\``)
    expect(updateLists(packages)).toEqual([
      'latest-linux.yml',
      'latest-linux-arm64.yml',
      'latest-mac.yml',
      'latest.yml',
    ])
  })

  it('the release is built by the jobs that the packages need, each with the native of its other processor', () => {
    const { jobs } = parse(read('.github/workflows/release.yml')) as {
      jobs: { packages: { strategy: { matrix: { include: unknown } } } }
    }
    expect(jobs.packages.strategy.matrix.include).toEqual(buildMatrix(packages))
    const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, unknown> }
    for (const { native } of buildMatrix(packages)) {
      if (native !== undefined) expect(lock.packages).toHaveProperty([`node_modules/${native}`])
    }
  })

  it('each processor of a package has the prebuilt store', () => {
    const prebuilt = readdirSync(join(ROOT, 'node_modules', 'classic-level', 'prebuilds'))
    const names = { linux: 'linux', mac: 'darwin', win: 'win32' }
    for (const { system, arch } of packages) {
      const needed = [`${names[system]}-${arch}`, `${names[system]}-x64+arm64`]
      expect(
        needed.some((name) => prebuilt.includes(name)),
        needed[0],
      ).toBe(true)
    }
  })

  it('without a certificate the release of macOS is signed ad hoc, since Apple’s processors run nothing unsigned', () => {
    expect(read('.github/workflows/release.yml')).toContain('[ "$TARGET" != mac ] || flags+=(-c.mac.identity=-)')
  })
})

describe('what packages tell their systems', () => {
  it('Linux finds the windows of the app by the name of its desktop entry', () => {
    expect(builder['linux']).toMatchObject({ syncDesktopName: true })
    expect(manifest.desktopName).toMatch(/^[a-z]+(\.\w+){2,}\.desktop$/)
    // The packager and Electron take one `.desktop` off: what is left is the id.
    expect(manifest.desktopName.replace(/\.desktop$/, '')).not.toMatch(/\.desktop$/)
    expect(read('electron-builder.yml')).not.toContain('StartupWMClass')
  })

  it('the keychain is not asked for the key of cookies, of which there are none', () => {
    expect(builder['electronFuses']).toMatchObject({ enableCookieEncryption: false })
  })

  it('the uninstaller of Windows takes away what the app has set up for the person, and an update does not', () => {
    const script = read('assets/installer.nsh')
    expect(builder['nsis']).toMatchObject({ include: 'assets/installer.nsh' })
    const macro =
      /!macro customUnInstall\n {2}\$\{ifNot\} \$\{isUpdated\}\n([\s\S]+?)\n {2}\$\{endIf\}\n!macroend/.exec(script)
    const removed = (macro?.[1] ?? '').split('\n').filter((line) => /^\s*Delete/.test(line))
    expect(removed.map((line) => line.trim())).toEqual([
      'DeleteRegValue HKCU "Software\\Microsoft\\Windows\\CurrentVersion\\Run" "${APP_ID}"',
      'DeleteRegValue HKCU "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\StartupApproved\\Run" "${APP_ID}"',
      'DeleteRegKey HKCU "Software\\Classes\\ocf"',
      'Delete "$LOCALAPPDATA\\Microsoft\\WindowsApps\\ocf.cmd"',
    ])
    // Electron names the start at login after what the app says it is.
    const { appId } = builder as unknown as { appId: string }
    expect(read('src-main/compose/run-desktop-app.ts')).toContain(`const APP_ID = '${appId}'`)
  })

  it('the command of a deb and an rpm starts the program where the package puts it', () => {
    const script = read('assets/bin/ocf')
    const { executableName } = builder['linux'] as { executableName: string }
    expect(script).toContain(`program='/opt/${manifest.productName}/${executableName}'\n`)
    expect(script).toContain(' --cli "$@"\n')
    for (const target of ['deb', 'rpm']) expect(builder[target]).toMatchObject({ fpm: ['assets/bin/ocf=/usr/bin/ocf'] })
    if (process.platform !== 'win32') expect(statSync(join(ROOT, 'assets/bin/ocf')).mode & 0o111).toBe(0o111)
  })

  it('the command of Windows starts the program beside its folder', () => {
    expect(builder['win']).toMatchObject({ extraFiles: [{ from: 'assets/bin/ocf.cmd', to: 'bin/ocf.cmd' }] })
    expect(read('assets/bin/ocf.cmd')).toContain(`"%~dp0..\\${manifest.productName}.exe" --cli %*`)
  })

  it('the tray of Windows has pictures of its own size', () => {
    for (const state of ['sharing', 'connected', 'alone', 'paused']) {
      for (const [end, points] of [
        ['Windows.png', 16],
        ['Windows@2x.png', 32],
      ] as const) {
        const file = join(ROOT, 'assets', 'tray', `${state}${end}`)
        expect(existsSync(file)).toBe(true)
        // A PNG's width stands at byte 16.
        expect(readFileSync(file).readUInt32BE(16)).toBe(points)
      }
    }
  })
})

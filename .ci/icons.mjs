// Draws every picture of the app from assets/icon.svg and the tray's drawing below: node .ci/icons.mjs
// What it writes is committed, so that packaging needs no browser.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chromium } from 'playwright-core'

const assets = join(dirname(import.meta.dirname), 'assets')
const source = readFileSync(join(assets, 'icon.svg'), 'utf8')

const SIZES = [16, 24, 32, 48, 64, 128, 256, 512, 1024]
/** The types of an .icns file that hold a PNG of that many pixels. */
const ICNS = { 16: 'icp4', 32: 'icp5', 64: 'icp6', 128: 'ic07', 256: 'ic08', 512: 'ic09', 1024: 'ic10' }
const TRAY = {
  sharing: { mark: '#6d6af6', badge: '<circle cx="74" cy="74" r="22" fill="#16a34a" stroke="#fff" stroke-width="6"/>' },
  connected: { mark: '#6d6af6', badge: '' },
  alone: { mark: '#8b8fa3', badge: '<circle cx="74" cy="74" r="22" fill="#d97706" stroke="#fff" stroke-width="6"/>' },
  paused: {
    mark: '#8b8fa3',
    badge:
      '<g fill="#fff" stroke="#3f4254" stroke-width="5"><rect x="52" y="50" width="16" height="44" rx="5"/><rect x="76" y="50" width="16" height="44" rx="5"/></g>',
  },
}
/** Shapes tell the states apart where there is no colour. */
const TEMPLATE_BADGES = {
  sharing: '<circle cx="76" cy="76" r="18" fill="#000"/>',
  connected: '',
  alone: '<circle cx="76" cy="76" r="14" fill="none" stroke="#000" stroke-width="8"/>',
  paused:
    '<g fill="#000"><rect x="56" y="54" width="13" height="40" rx="4"/><rect x="78" y="54" width="13" height="40" rx="4"/></g>',
}

function traySvg(mark, badge, cut) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
    <mask id="m"><rect width="100" height="100" fill="#fff"/>${cut ? '<circle cx="76" cy="76" r="30" fill="#000"/>' : ''}</mask>
    <g mask="url(#m)"><g stroke="${mark}" stroke-width="9" stroke-linecap="round"><path d="M50 50 20 22M50 50 82 28M50 50 36 86"/></g>
    <g fill="${mark}"><circle cx="20" cy="22" r="13"/><circle cx="82" cy="28" r="13"/><circle cx="36" cy="86" r="13"/><circle cx="50" cy="50" r="21"/></g></g>
    ${badge}</svg>`
}

const browser = await chromium.launch({
  executablePath: process.env.OCF_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})
const page = await browser.newPage()

async function png(svg, size) {
  await page.setViewportSize({ width: size, height: size })
  await page.setContent(
    `<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg.replace(/<\?xml.*?\?>/, '')}`,
  )
  return await page.screenshot({ omitBackground: true })
}

/** ICO and ICNS files may hold PNGs as they are. */
function ico(pictures) {
  const header = Buffer.alloc(6 + 16 * pictures.length)
  header.writeUInt16LE(1, 2)
  header.writeUInt16LE(pictures.length, 4)
  let offset = header.length
  pictures.forEach(({ size, data }, at) => {
    const entry = 6 + 16 * at
    header.writeUInt8(size % 256, entry)
    header.writeUInt8(size % 256, entry + 1)
    header.writeUInt16LE(1, entry + 4)
    header.writeUInt16LE(32, entry + 6)
    header.writeUInt32LE(data.length, entry + 8)
    header.writeUInt32LE(offset, entry + 12)
    offset += data.length
  })
  return Buffer.concat([header, ...pictures.map(({ data }) => data)])
}

function icns(pictures) {
  const chunk = (type, data) => {
    const head = Buffer.from(`${type}\0\0\0\0`, 'latin1')
    head.writeUInt32BE(data.length + 8, 4)
    return Buffer.concat([head, data])
  }
  return chunk('icns', Buffer.concat(pictures.map(({ size, data }) => chunk(ICNS[size], data))))
}

mkdirSync(join(assets, 'icons'), { recursive: true })
mkdirSync(join(assets, 'tray'), { recursive: true })
const pictures = []
for (const size of SIZES) pictures.push({ size, data: await png(source, size) })
for (const { size, data } of pictures.filter((picture) => picture.size <= 512)) {
  writeFileSync(join(assets, 'icons', `${size}x${size}.png`), data)
}
writeFileSync(join(assets, 'icon.ico'), ico(pictures.filter(({ size }) => size <= 256)))
writeFileSync(join(assets, 'icon.icns'), icns(pictures.filter(({ size }) => size in ICNS)))

for (const [name, { mark, badge }] of Object.entries(TRAY)) {
  const template = traySvg('#000', TEMPLATE_BADGES[name], TEMPLATE_BADGES[name] !== '')
  for (const [suffix, factor] of [
    ['', 1],
    ['@2x', 2],
  ]) {
    writeFileSync(join(assets, 'tray', `${name}${suffix}.png`), await png(traySvg(mark, badge, false), 22 * factor))
    writeFileSync(
      join(assets, 'tray', `${name}Windows${suffix}.png`),
      await png(traySvg(mark, badge, false), 16 * factor),
    )
    writeFileSync(join(assets, 'tray', `${name}Template${suffix}.png`), await png(template, 16 * factor))
  }
}
await browser.close()

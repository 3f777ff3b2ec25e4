import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createGpuReader, createHardware, createSystemFacts } from '../../../../src-main/services/machine/index.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-machine-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function files(content: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(content)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}

const gpus = { read: () => Promise.resolve({ known: false as const, why: 'no GPU' }) }
const facts = () => createSystemFacts({ gpus }, { platform: 'linux', powerDir: folder, procDir: folder })

describe('the power supply', () => {
  test('a laptop that is plugged in, then not', async () => {
    await files({ 'AC/type': 'Mains\n', 'AC/online': '1\n', 'BAT0/type': 'Battery\n', 'BAT0/status': 'Charging\n' })
    expect(await facts().onBattery()).toEqual({ known: true, value: false })
    await files({ 'AC/online': '0\n', 'BAT0/status': 'Discharging\n' })
    expect(await facts().onBattery()).toEqual({ known: true, value: true })
  })

  test('the battery of a mouse is not this computer’s', async () => {
    await files({ 'hid/type': 'Battery\n', 'hid/scope': 'Device\n', 'hid/status': 'Discharging\n' })
    expect(await facts().onBattery()).toEqual({ known: true, value: false })
  })

  test('a system that does not tell says so', async () => {
    await rm(folder, { recursive: true })
    expect(await facts().onBattery()).toMatchObject({ known: false })
  })
})

test('programs are known by their process and by their file', async () => {
  await files({
    '12/comm': 'blender\n',
    '12/cmdline': '/opt/Blender 4/blender\0--background\0',
    '13/comm': 'wine-preloader\n',
    '13/cmdline': 'Z:\\Games\\Game.EXE\0',
    'self/comm': 'no process',
  })
  const programs = await facts().programs()
  expect(programs.known && [...programs.value].sort()).toEqual(['blender', 'game.exe', 'wine-preloader'])
})

describe('GPUs', () => {
  const NVIDIA = 'NVIDIA GeForce RTX 4090, 24564, 1234, 7, 51\nNVIDIA A100-SXM4-80GB, 81920, 0, [N/A], [N/A]\n'
  const ROCM = JSON.stringify({
    card0: {
      'GPU use (%)': '42',
      'Temperature (Sensor edge) (C)': '38.0',
      'VRAM Total Memory (B)': '17163091968',
      'VRAM Total Used Memory (B)': '1073741824',
      'Card Series': 'Radeon RX 7800 XT',
    },
    system: { 'Driver version': '6.12' },
  })

  const readerOf = (outputs: Record<string, string>, asked: string[] = []) => {
    let nowMs = 0
    const reader = createGpuReader(
      {
        monotonic: { elapsedMs: () => nowMs },
        run: (file) => {
          asked.push(file)
          return Promise.resolve(outputs[file])
        },
      },
      { drmDir: folder },
    )
    return { reader, pass: (ms: number) => (nowMs += ms) }
  }

  test('are read from nvidia-smi, at most every ten seconds', async () => {
    const asked: string[] = []
    const { reader, pass } = readerOf({ 'nvidia-smi': NVIDIA }, asked)
    const first = await reader.read()
    await reader.read()
    expect(asked).toEqual(['nvidia-smi'])
    expect(first).toEqual({
      known: true,
      value: [
        { name: 'NVIDIA GeForce RTX 4090', total_memory: 24_564, used_memory: 1234, busyPercent: 7, celsius: 51 },
        { name: 'NVIDIA A100-SXM4-80GB', total_memory: 81_920, used_memory: 0, busyPercent: null, celsius: null },
      ],
    })
    pass(10_000)
    await reader.read()
    expect(asked).toEqual(['nvidia-smi', 'nvidia-smi'])
  })

  test('are read from rocm-smi', async () => {
    const { reader } = readerOf({ 'rocm-smi': ROCM })
    expect(await reader.read()).toEqual({
      known: true,
      value: [{ name: 'Radeon RX 7800 XT', total_memory: 16_368, used_memory: 1024, busyPercent: 42, celsius: 38 }],
    })
  })

  test('are read from the kernel', async () => {
    await files({
      'card0/device/mem_info_vram_total': '8573157376\n',
      'card0/device/mem_info_vram_used': '104857600\n',
      'card0/device/gpu_busy_percent': '3\n',
      'card0/device/hwmon/hwmon3/temp1_input': '45000\n',
      'card0-HDMI-A-1/status': 'connected\n',
    })
    const { reader } = readerOf({})
    expect(await reader.read()).toMatchObject({
      value: [{ total_memory: 8176, used_memory: 100, busyPercent: 3, celsius: 45 }],
    })
  })

  test('a machine without is not asked by tools it lacks again', async () => {
    const asked: string[] = []
    const { reader, pass } = readerOf({}, asked)
    expect(await reader.read()).toMatchObject({ known: false })
    pass(10_000)
    await reader.read()
    expect(asked).toEqual(['nvidia-smi', 'rocm-smi'])
  })

  test('stand in the node’s row once they are known', async () => {
    const { reader } = readerOf({ 'nvidia-smi': NVIDIA })
    const hardware = createHardware({ gpus: reader })
    expect(hardware.read().gpus).toEqual([])
    const changed = new Promise<void>((resolve) => hardware.subscribe(resolve))
    await hardware.start(new AbortController().signal)
    await changed

    expect(hardware.read()).toMatchObject({
      gpus: [{ name: 'NVIDIA GeForce RTX 4090', total_memory: 24_564, used_memory: 1234 }, {}],
      host_memory: expect.any(Number),
    })
    expect(Object.keys(hardware.read().gpus[0]!)).toEqual(['name', 'total_memory', 'used_memory'])
    await hardware.stop()
  })
})

import { expect, test } from 'vitest'
import { placeWindow } from '../../../../src-main/electron/window/placement.js'

const main = { x: 0, y: 25, width: 1440, height: 875 }
const left = { x: -1920, y: 0, width: 1920, height: 1040 }

test('a first window has its usual size, or what the display has room for, and the system centres it', () => {
  expect(placeWindow(undefined, [main])).toEqual({ width: 1280, height: 800 })
  expect(placeWindow(undefined, [{ x: 0, y: 0, width: 1024, height: 600 }])).toEqual({ width: 1024, height: 600 })
  expect(placeWindow(undefined, [])).toEqual({ width: 1280, height: 800 })
})

test('a window opens where it was, also on the second display', () => {
  const there = { x: -1800, y: 100, width: 900, height: 700 }
  expect(placeWindow(there, [main, left])).toEqual(there)
})

test('a window whose display is gone opens on the main one, in its size', () => {
  const there = { x: -1800, y: 100, width: 900, height: 700 }
  expect(placeWindow(there, [main])).toEqual({ width: 900, height: 700 })
  expect(placeWindow({ ...there, y: -2000 }, [main, left])).toEqual({ width: 900, height: 700 })
})

test('a window that hangs over an edge, or is larger than its display, is brought within it', () => {
  expect(placeWindow({ x: 1200, y: 600, width: 900, height: 700 }, [main])).toEqual({
    x: 540,
    y: 200,
    width: 900,
    height: 700,
  })
  expect(placeWindow({ x: -50, y: 0, width: 4000, height: 3000 }, [main])).toEqual(main)
})

test('a window that was hardly to be seen is as one whose display is gone', () => {
  expect(placeWindow({ x: 1400, y: 100, width: 900, height: 700 }, [main])).toEqual({ width: 900, height: 700 })
  expect(placeWindow({ x: 100, y: 890, width: 900, height: 700 }, [main])).toEqual({ width: 900, height: 700 })
})

/** A rectangle on the desktop, in points. */
export interface Bounds {
  x: number
  y: number
  width: number
  height: number
}

/** Where a window goes; without a position the system centres it. */
export type Placement = { width: number; height: number } & Partial<Pick<Bounds, 'x' | 'y'>>

/** The smallest window whose pages can be used. */
export const MIN_SIZE = { width: 720, height: 480 }
const FIRST_SIZE = { width: 1280, height: 800 }

/** As much of the title bar as it takes to grab a window. */
const GRIP = { width: 120, height: 40 }

/**
 * Where a window opens that was at `remembered`. `workAreas` are the displays without bars and docks, the main one first.
 * A window stays where it was while enough of its title bar is on a display that is still there; it never gets larger than
 * its display, nor hangs over an edge of it.
 */
export function placeWindow(remembered: Bounds | undefined, workAreas: readonly Bounds[]): Placement {
  const home = remembered === undefined ? undefined : workAreas.find((area) => hasGrip(remembered, area))
  const area = home ?? workAreas[0]
  const { width, height } = sizeIn(remembered ?? FIRST_SIZE, area)
  if (remembered === undefined || home === undefined) return { width, height }
  return {
    x: between(remembered.x, home.x, home.x + home.width - width),
    y: between(remembered.y, home.y, home.y + home.height - height),
    width,
    height,
  }
}

function sizeIn(
  wanted: { width: number; height: number },
  area: Bounds | undefined,
): { width: number; height: number } {
  const limit = area ?? { width: Infinity, height: Infinity }
  return {
    width: Math.max(Math.min(wanted.width, limit.width), Math.min(MIN_SIZE.width, limit.width)),
    height: Math.max(Math.min(wanted.height, limit.height), Math.min(MIN_SIZE.height, limit.height)),
  }
}

/** Whether enough of the window's upper edge lies on the display. */
function hasGrip(window: Bounds, area: Bounds): boolean {
  const across = Math.min(window.x + window.width, area.x + area.width) - Math.max(window.x, area.x)
  const isUpperEdgeIn = window.y > area.y - GRIP.height && window.y < area.y + area.height - GRIP.height
  return across >= GRIP.width && isUpperEdgeIn
}

/** The nearest number in the range; its lower end where the range is empty. */
function between(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high))
}

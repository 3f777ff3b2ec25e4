/** One set, drawn on 24 × 24 with a stroke of 1.75. */
export const ICON_PATHS = {
  home: 'M4 11.5 12 4l8 7.5 M6 10v9h12v-9 M10 19v-5h4v5',
  share: 'M12 15V4 M8 8l4-4 4 4 M5 13v6h14v-6',
  models: 'M12 3l8 4.5v9L12 21l-8-4.5v-9z M4 7.5l8 4.5 8-4.5 M12 12v9',
  network:
    'M12 9a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z M5.5 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z M18.5 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z M10.8 8.7 6.8 15.3 M13.2 8.7l4 6.6 M8 17.5h8',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z M3 20c0-3.3 2.7-6 6-6s6 2.7 6 6 M16 4.5a3.5 3.5 0 0 1 0 6.3 M18 14.5c1.9 1 3 3.1 3 5.5',
  traffic: 'M3 12h4l3-8 4 16 3-8h4',
  settings:
    'M4 7h9 M17 7h3 M4 17h3 M11 17h9 M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z M9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
  copy: 'M9 9h10v11H9z M15 9V4H5v11h4',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  alert: 'M12 4 2.5 20h19z M12 10v4.5 M12 17.2v.3',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14z M16 16l4.5 4.5',
  out: 'M7 17 17 7 M9 7h8v8',
  in: 'M17 7 7 17 M15 17H7V9',
  local: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16z M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  pause: 'M8 5v14 M16 5v14',
  freeze: 'M4 6h16 M4 12h9 M4 18h9 M17 12v7 M20.5 12v7',
  star: 'M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9L3.5 9.7l5.9-.8z',
  play: 'M7 5l12 7-12 7z',
  server: 'M4 5h16v6H4z M4 13h16v6H4z M8 8h.1 M8 16h.1',
  close: 'M6 6l12 12 M18 6 6 18',
  plus: 'M12 5v14 M5 12h14',
  stop: 'M6 6h12v12H6z',
  send: 'M12 19V5 M6 11l6-6 6 6',
  refresh: 'M20 11a8 8 0 1 0-2.3 6.3 M20 5v6h-6',
  key: 'M8 15a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M12 11h9 M18 11v4',
  command: 'M5 7h14 M5 12h9 M5 17h6',
  chat: 'M4 5h16v11H10l-5 4v-4H4z',
  edit: 'M5 19l1-4L16 5l3 3L9 18z M14 7l3 3',
  trash: 'M5 7h14 M9 7V4h6v3 M7 7l1 13h8l1-13 M10.5 11v5.5 M13.5 11v5.5',
  download: 'M12 4v11 M8 11l4 4 4-4 M5 19h14',
  image: 'M4 5h16v14H4z M8.5 11a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z M4 17l5-4 3 2 4-5 4 5',
  forward: 'M9 5l7 7-7 7',
  back: 'M15 5l-7 7 7 7',
  question: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.4-1 .9-1 1.7 M12 16.6v.3',
  wrench: 'M20 7.5a4.5 4.5 0 0 1-6 5.5l-6.5 6.5-3-3L11 10a4.5 4.5 0 0 1 5.5-6l-2.7 2.7.4 2.6 2.6.4z',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M12 2.5v2 M12 19.5v2 M2.5 12h2 M19.5 12h2 M5.3 5.3l1.4 1.4 M17.3 17.3l1.4 1.4 M18.7 5.3l-1.4 1.4 M6.7 17.3l-1.4 1.4',
  lock: 'M6 11h12v9H6z M8.5 11V8a3.5 3.5 0 0 1 7 0v3',
} as const

/** The name of an icon. */
export type IconName = keyof typeof ICON_PATHS

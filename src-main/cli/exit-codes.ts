/** What `ocf` exits with. */
export const EXIT = {
  /** It did what was asked. */
  ok: 0,
  /** It failed while running: a port in use, an answer that broke off. */
  failed: 1,
  /** The command line or the settings are wrong; nothing was started. */
  usage: 2,
  /** No node is running with that data folder. */
  notRunning: 3,
  /** Ended by Ctrl-C: 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const
